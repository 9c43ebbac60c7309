"""Races: contestants timed in alternation and compared by medians.

Timings on a shared machine swing by a factor of two within minutes. So the contestants of a race take turns within
each repetition, each repetition starts with another one, and medians over the repetitions are compared.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Mapping, Sequence

from benchmarks.worker import BenchmarkError, Contestant, Worker

__all__ = [
    "Times",
    "disagreement",
    "fastest",
    "geometric_mean",
    "milliseconds",
    "per_call",
    "race",
    "ratio",
    "say",
]

Times = Mapping[str, Sequence[float]]

_TURN_SECONDS = 0.25  # a turn makes as many calls as fit, at least one
_REST_SECONDS = 0.02  # between turns, for the last contestant's threads to fall asleep


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
    worst = (0.0, "")
    (first, expected), *others = answers.items() if answers else [("", {})]
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
