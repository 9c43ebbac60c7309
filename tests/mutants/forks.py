"""Tasks in forked processes: TensorFlow is imported once, and no task sees what another did."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Task", "run_all"]


@dataclass(frozen=True)
class Task:
    """A function for a process of its own.

    Attributes:
        key: what it is about.
        function: returns something that JSON can hold.
        seconds: how long it may take.
    """

    key: Any
    function: Callable[[], Any]
    seconds: float


@dataclass(frozen=True)
class _Child:
    task: Task
    process: int
    pipe: int
    deadline: float


def run_all(tasks: Iterable[Task], jobs: int) -> Iterator[tuple[Any, Any]]:
    """Yields (key, answer) of each task as they end; the answer is "timeout" or "crash" where none came.

    At most `jobs` run at once. Nothing of TensorFlow may have run in this process: its threads do not survive a fork.
    """
    waiting, running = iter(tasks), {}
    gc.collect()
    gc.freeze()  # a child's collector would walk, and so copy, all that TensorFlow has made
    while True:
        while len(running) < jobs and (task := next(waiting, None)):
            child = _start(task)
            running[child.pipe] = child
        if not running:
            return
        soonest = min(child.deadline for child in running.values())
        ready, _, _ = select.select(list(running), [], [], max(0.0, soonest - time.monotonic()))
        late = [pipe for pipe, child in running.items() if pipe not in ready and child.deadline <= time.monotonic()]
        for pipe in [*ready, *late]:
            child = running.pop(pipe)
            yield child.task.key, _end(child) if pipe in ready else _end(child, "timeout")


def _start(task: Task) -> _Child:
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        try:
            answer = json.dumps(task.function())
        except BaseException:
            answer = json.dumps({"error": traceback.format_exc()})
        with os.fdopen(writing, "w") as pipe:
            pipe.write(answer + "\n")
        os._exit(0)
    os.close(writing)
    return _Child(task, process, reading, time.monotonic() + task.seconds)


def _end(child: _Child, answer: Any = None) -> Any:
    """Reads the one line that a child writes, unless its answer is known, and removes it with all that it started."""
    with os.fdopen(child.pipe) as pipe:
        line = "" if answer else pipe.readline()
    os.killpg(child.process, signal.SIGKILL)
    os.waitpid(child.process, 0)
    return answer or (json.loads(line) if line.endswith("\n") else "crash")
