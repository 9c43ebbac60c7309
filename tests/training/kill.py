"""Kills a training process at seeded random moments until it gets through."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

TIMEOUT_SECONDS = 300.0


class Process(Protocol):
    """What `subprocess.Popen` and `Forked` have in common."""

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Forked:
    """A `multiprocessing` process with the methods of `subprocess.Popen` that killing needs."""

    def __init__(self, process: object) -> None:
        self.process = process
        self.process.start()

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout: float | None = None) -> int:
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("forked process", timeout)
        return self.process.exitcode


@dataclass
class KillReport:
    """What happened.

    Attributes:
        kills: processes killed while they ran.
        inside_saves: kills after which a half-written file lay in the state folder.
        exit_code: of the process that got through.
    """

    kills: int = 0
    inside_saves: int = 0
    exit_code: int | None = None
    moments: list[float] = field(default_factory=list)


def command(argv: Sequence[str]) -> Callable[[], subprocess.Popen[bytes]]:
    """Returns a function that starts a command line."""
    return lambda: subprocess.Popen(argv)


def kill_until_done(
    start: Callable[[], Process], run: Path, *, kills: int, seed: int, longest: float = 1.0
) -> KillReport:
    """Starts a training `kills` times and kills -9 each at a random moment, then lets the last one finish.

    Args:
        start: starts the process that trains into `run`.
        run: its run folder; the clock of a kill starts when the process first changes it, or, two times of three,
            when it has appended the figures of an evaluation, which it does just before a save.
        kills: how many processes to kill; one that finishes before its moment ends the series.
        seed: of the moments.
        longest: seconds from the first change to the latest moment.
    """
    moments, report = random.Random(seed), KillReport()
    for _ in range(kills):
        pattern = moments.choice(["metrics.jsonl", "metrics.jsonl", "state/*"])
        before = _traces(run, pattern)
        process = start()
        moment = moments.uniform(0.0, longest)
        if _finishes(process, partial(_differs, run, pattern, before)) or _sleeps(process, moment):
            report.exit_code = process.wait()
            return report
        process.kill()
        process.wait(TIMEOUT_SECONDS)
        report.kills += 1
        report.moments.append(moment)
        report.inside_saves += _half_written(run)
    report.exit_code = start().wait(TIMEOUT_SECONDS)
    return report


def _finishes(process: Process, changed: Callable[[], bool]) -> bool:
    """Waits for the first change; returns whether the process ended before it."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if changed():
            return False
        if _sleeps(process, 0.005):
            return True
    process.kill()
    raise TimeoutError("the training did not begin")


def _sleeps(process: Process, seconds: float) -> bool:
    """Waits so long; returns whether the process ended meanwhile."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


Traces = set[tuple[str, int, int]]


def _differs(run: Path, pattern: str, before: Traces) -> bool:
    return _traces(run, pattern) != before


def _traces(run: Path, pattern: str) -> Traces:
    traces = set()
    for path in run.glob(pattern):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        traces.add((path.name, status.st_size, status.st_mtime_ns))
    return traces


def _half_written(run: Path) -> bool:
    """Whether a temporary file, or arrays without their manifest, were left behind."""
    named = {manifest.read_text().split('"file": "')[1].split('"')[0] for manifest in run.glob("state/step-*.json")}
    left = {path.name for path in run.glob("state/*.npz")} - named
    return bool(left) or bool(list(run.glob("state/*.tmp")))
