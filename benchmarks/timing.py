"""The harness of all benchmarks: contestants in worker processes, timed in alternation, compared by medians.

Timings on a shared machine swing by a factor of two within minutes. So the contestants of a race take turns within
each repetition, each repetition starts with another one, and medians over the repetitions are compared. Thread pools
of different frameworks disturb one another, so each framework has a process of its own, and only one works at a time.
"""

from __future__ import annotations

import gc
import importlib
import math
import multiprocessing
import os
import statistics
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = [
    "BenchmarkError",
    "Contestant",
    "Subject",
    "Times",
    "Worker",
    "disagreement",
    "fastest",
    "geometric_mean",
    "milliseconds",
    "per_call",
    "race",
    "ratio",
    "say",
    "workers",
]

Times = Mapping[str, Sequence[float]]

_TURN_SECONDS = 0.25  # a turn makes as many calls as fit, at least one
_REST_SECONDS = 0.02  # between turns, for the last contestant's threads to fall asleep


class BenchmarkError(RuntimeError):
    """A contestant failed, or contestants compute different things."""


class Subject(Protocol):
    """What a contestant's factory returns, in the worker process."""

    def run(self) -> Any:
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
    """

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
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
def workers(families: Sequence[str], *, threads: int | None = None) -> Iterator[dict[str, Worker]]:
    """One worker for each family, ended on the way out; `threads` is the number of usable cores by default."""
    with ExitStack() as stack:
        started = {}
        for family in dict.fromkeys(families):
            started[family] = Worker(threads or len(os.sched_getaffinity(0)))
            stack.callback(started[family].close)
        yield started


def race(
    staff: Mapping[str, Worker],
    contestants: Sequence[Contestant],
    *,
    repetitions: int,
    turn_seconds: float = _TURN_SECONDS,
    tolerance: float = 2e-3,
) -> Times:
    """Times contestants in alternation.

    Args:
        staff: a worker for each family.
        contestants: each is made, warmed up, timed and dropped.
        repetitions: turns of each contestant.
        turn_seconds: least length of a turn; a turn makes one call at least.
        tolerance: greatest relative difference between the contestants' answers.

    Returns:
        For each contestant's name the seconds per call of its turns, in order of time.

    Raises:
        BenchmarkError: a contestant fails, or their answers differ.
    """
    answers, calls = {}, {}
    try:
        for contestant in contestants:
            worker = staff[contestant.family]
            answers[contestant.name] = worker.make(contestant)
            calls[contestant.name] = max(1, math.ceil(turn_seconds / worker.seconds(contestant.name, 1)))
        difference, where = disagreement({c.name: answers[c.name] for c in contestants if c.compared})
        if difference > tolerance:
            raise BenchmarkError(f"contestants differ by {difference:.1e} in {where}: {answers}")
        times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
        for repetition in range(repetitions):
            first = repetition % len(contestants)
            for contestant in [*contestants[first:], *contestants[:first]]:
                time.sleep(_REST_SECONDS)
                turn = staff[contestant.family].seconds(contestant.name, calls[contestant.name])
                times[contestant.name].append(turn)
    finally:
        for family in {contestant.family for contestant in contestants}:
            staff[family].forget()
    return times


def disagreement(answers: Mapping[str, Mapping[str, float]]) -> tuple[float, str]:
    """The greatest relative difference from the first contestant in any answer both give, and where it is."""
    (first, expected), *others = answers.items()
    worst = (0.0, "")
    for name, given in others:
        for key in given.keys() & expected.keys():
            scale = max(abs(expected[key]), abs(given[key]), 1e-12)
            difference = abs(given[key] - expected[key]) / scale
            worst = max(worst, (math.inf if math.isnan(difference) else difference, f"{key} of {first} and {name}"))
    return worst


def per_call(times: Sequence[float]) -> float:
    """The median of a contestant's turns."""
    return statistics.median(times)


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """How many times as fast we are: their median over our median."""
    return per_call(theirs) / per_call(ours)


def fastest(times: Times, names: Sequence[str]) -> str:
    """The name with the smallest median."""
    return min(names, key=lambda name: per_call(times[name]))


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean of positive numbers."""
    return statistics.geometric_mean(values)


def milliseconds(times: Sequence[float]) -> str:
    """The median in milliseconds with three significant digits, as text."""
    value = per_call(times) * 1e3
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def say(message: str) -> None:
    """Shows progress, on standard error."""
    print(message, file=sys.stderr, flush=True)


def _serve(pipe: Any, threads: int) -> None:
    """The worker process: answers requests until the pipe closes."""
    sizes = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    os.environ |= dict.fromkeys(sizes, str(threads)) | {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
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
    module, _, function = factory.partition(":")
    subjects[name] = getattr(importlib.import_module(module), function)(**arguments)
    subjects[name].run()
    return subjects[name].answers()


def _seconds(subjects: dict[str, Subject], name: str, calls: int) -> float:
    run = subjects[name].run
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _memory(subjects: dict[str, Subject], name: str) -> dict[str, int | None]:
    from rnnapps.training.measure import peak_resident_bytes, peak_rise

    peak = peak_resident_bytes()
    _, rise = peak_rise(subjects[name].run)
    return {"peak": peak, "rise": rise}


def _versions(_: dict[str, Subject], packages: list[str]) -> dict[str, str]:
    return {package: importlib.import_module(package).__version__ for package in packages}


def _forget(subjects: dict[str, Subject]) -> None:
    subjects.clear()
    gc.collect()


_ANSWERS: dict[str, Any] = {
    "make": _make,
    "seconds": _seconds,
    "memory": _memory,
    "versions": _versions,
    "forget": _forget,
}
