"""Worker processes: each holds the contestants of one framework and runs them when told.

Thread pools of different frameworks disturb one another, so each framework has a process of its own, and only one
works at a time.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Protocol

__all__ = ["BenchmarkError", "Contestant", "Subject", "Worker", "workers"]


class BenchmarkError(RuntimeError):
    """A contestant failed, or contestants compute different things."""


class Subject(Protocol):
    """What a contestant's factory returns, in the worker process."""

    def run(self) -> object:
        """Does the work once, to its end."""

    def answers(self) -> dict[str, float]:
        """Numbers that every contestant of the race must agree on; empty where there are none."""


@dataclass(frozen=True)
class Contestant:
    """One of the things compared.

    Attributes:
        name: unique in its race.
        family: contestants of one family share a worker process.
        factory: "module:function" that makes the `Subject`.
        arguments: plain values for the function.
        compared: whether its answers must agree with those of the others.
    """

    name: str
    family: str
    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    compared: bool = True


class Worker:
    """A process that holds contestants and runs them when told.

    Args:
        threads: size of every thread pool in it.
        environment: further variables of the process.
    """

    def __init__(self, threads: int, environment: Mapping[str, str] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, threads, dict(environment or {})), daemon=True)
        self._process.start()
        theirs.close()

    def make(self, contestant: Contestant) -> dict[str, float]:
        """Makes a contestant, runs it once untimed and returns its answers."""
        answers: dict[str, float] = self._ask("make", contestant.name, contestant.factory, dict(contestant.arguments))
        return answers

    def seconds(self, name: str, calls: int) -> float:
        """Mean time of a call, in seconds."""
        return float(self._ask("seconds", name, calls))

    def memory(self, name: str) -> dict[str, int | None]:
        """Bytes: "rise" of the resident memory within one call, "peak" of the process so far."""
        figures: dict[str, int | None] = self._ask("memory", name)
        return figures

    def versions(self, packages: Sequence[str]) -> dict[str, str]:
        """Versions of packages as this process imports them."""
        versions: dict[str, str] = self._ask("versions", list(packages))
        return versions

    def forget(self) -> None:
        """Drops all contestants."""
        self._ask("forget")

    def close(self) -> None:
        """Ends the process."""
        self._pipe.close()
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ask(self, *request: Any) -> Any:
        """Sends a request to the process and waits for its answer."""
        try:
            self._pipe.send(request)
            succeeded, result = self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self._process.join(timeout=5)
            code = self._process.exitcode
            raise BenchmarkError(f"the worker ended with code {code} on {request[:2]}; out of memory?") from error
        if not succeeded:
            raise BenchmarkError(f"{request[:2]} failed in the worker:\n{result}")
        return result


@contextmanager
def workers(
    families: Sequence[str], *, threads: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[dict[str, Worker]]:
    """One worker for each family, ended on the way out; `threads` is the number of usable cores by default."""
    with ExitStack() as stack:
        started = {}
        for family in dict.fromkeys(families):
            started[family] = Worker(threads or len(os.sched_getaffinity(0)), environment)
            stack.callback(started[family].close)
        yield started


def _serve(pipe: Connection, threads: int, environment: dict[str, str]) -> None:
    """The worker process: answers requests until the pipe closes."""
    sizes = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    os.environ |= dict.fromkeys(sizes, str(threads)) | {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    os.environ |= environment
    subjects: dict[str, Subject] = {}
    while True:
        try:
            kind, *arguments = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send((True, _ANSWERS[kind](subjects, *arguments)))
        except Exception:
            pipe.send((False, traceback.format_exc()))


def _make(subjects: dict[str, Subject], name: str, factory: str, arguments: dict[str, Any]) -> dict[str, float]:
    """Answers `Worker.make`."""
    module, _, function = factory.partition(":")
    subjects[name] = getattr(importlib.import_module(module), function)(**arguments)
    subjects[name].run()
    return subjects[name].answers()


def _seconds(subjects: dict[str, Subject], name: str, calls: int) -> float:
    """Answers `Worker.seconds`."""
    run = subjects[name].run
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _memory(subjects: dict[str, Subject], name: str) -> dict[str, int | None]:
    """Answers `Worker.memory`."""
    from rnnapps.training.measure import peak_resident_bytes, peak_rise

    peak = peak_resident_bytes()
    _, rise = peak_rise(subjects[name].run)
    return {"peak": peak, "rise": rise}


def _versions(_: dict[str, Subject], packages: list[str]) -> dict[str, str]:
    """Answers `Worker.versions`."""
    return {package: importlib.import_module(package).__version__ for package in packages}


def _forget(subjects: dict[str, Subject]) -> None:
    """Answers `Worker.forget`."""
    subjects.clear()
    gc.collect()


_ANSWERS: dict[str, Any] = {
    "make": _make,
    "seconds": _seconds,
    "memory": _memory,
    "versions": _versions,
    "forget": _forget,
}
