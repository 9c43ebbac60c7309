"""The harness: arithmetic on made-up timings, turns of real workers on a trivial subject."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from benchmarks.timing import disagreement, fastest, geometric_mean, milliseconds, per_call, race, ratio
from benchmarks.worker import BenchmarkError, Contestant, workers

HERE = "tests.benchmarks.test_timing"
LOG: list[str] = []


class Sleeper:
    """Sleeps; stands for a contestant."""

    def __init__(self, name: str, seconds: float, answer: float) -> None:
        self.name, self.sleep, self.answer = name, seconds, answer

    def run(self) -> None:
        LOG.append(self.name)
        time.sleep(self.sleep)

    def answers(self) -> dict[str, float]:
        return {"answer": self.answer}


class Log:
    """Answers how often each sleeper ran."""

    def run(self) -> None:
        pass

    def answers(self) -> dict[str, float]:
        return {name: float(LOG.count(name)) for name in set(LOG)}


def sleeper(**arguments: Any) -> Sleeper:
    return Sleeper(**arguments)


def log() -> Log:
    return Log()


def fail() -> None:
    raise ZeroDivisionError


def contestant(name: str, seconds: float = 0.002, answer: float = 1.0, **options: Any) -> Contestant:
    arguments = {"name": name, "seconds": seconds, "answer": answer}
    return Contestant(name, "here", f"{HERE}:sleeper", arguments, **options)


def test_medians_and_ratios_by_hand() -> None:
    ours, theirs = [2.0, 1.0, 40.0], [5.0, 3.0, 4.0, 90.0]
    assert per_call(ours) == 2.0
    assert per_call(theirs) == 4.5  # between 4 and 5
    assert ratio(theirs, ours) == 2.25
    assert ratio(ours, theirs) == pytest.approx(0.4444, abs=1e-4)


def test_the_fastest_has_the_smallest_median_not_the_smallest_time() -> None:
    times = {"lucky once": [0.1, 5.0, 5.0], "steady": [3.0, 3.0, 3.0], "not asked": [1.0]}
    assert fastest(times, ["lucky once", "steady"]) == "steady"


def test_geometric_mean_by_hand() -> None:
    assert geometric_mean([1.0, 4.0, 2.0]) == pytest.approx(2.0)
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.1234, "123"), (0.01234, "12.3"), (0.0012345, "1.23"), (12.3456, "12346"), (2e-5, "0.0200")]
)
def test_milliseconds_have_three_digits(seconds: float, text: str) -> None:
    assert milliseconds([seconds]) == text


def test_disagreement_is_relative_and_names_the_place() -> None:
    answers = {"ours": {"x": 2.0, "y": 10.0, "only here": 5.0}, "a": {"x": 2.0, "y": 10.1}, "b": {"x": 2.5}}
    difference, where = disagreement(answers)
    assert difference == pytest.approx(0.2)  # 0.5 of 2.5
    assert where == "x of ours and b"


def test_nothing_to_compare_is_no_disagreement() -> None:
    assert disagreement({}) == (0.0, "") and disagreement({"ours": {"x": 1.0}}) == (0.0, "")


def test_disagreement_of_a_number_that_is_none() -> None:
    assert disagreement({"ours": {"x": 1.0}, "a": {"x": math.nan}})[0] == math.inf
    assert disagreement({"ours": {"x": 0.0}, "a": {"x": 0.0}})[0] == 0.0


def test_workers_race_and_answer() -> None:
    with workers(["here"], threads=1) as staff:
        times = race(staff, [contestant("a"), contestant("b", 0.006)], repetitions=3, turn_seconds=0.012)
        assert [len(turns) for turns in times.values()] == [3, 3]
        assert per_call(times["a"]) >= 0.002
        assert per_call(times["b"]) >= 0.006
        counts = staff["here"].make(Contestant("log", "here", f"{HERE}:log"))
        # Made once, calibrated once, then three turns of as many calls as fill 12 ms: at most 6 and at most 2.
        assert 2 + 3 * 1 <= counts["b"] <= 2 + 3 * 2
        assert 2 + 3 * 1 <= counts["a"] <= 2 + 3 * 6
        with pytest.raises(BenchmarkError, match=r"differ by 5\.0e-01 in answer of a and b"):
            race(staff, [contestant("a"), contestant("b", answer=2.0)], repetitions=1)
        race(staff, [contestant("a"), contestant("b", answer=2.0, compared=False)], repetitions=1, turn_seconds=0.0)
        with pytest.raises(BenchmarkError, match="ZeroDivisionError"):
            staff["here"].make(Contestant("broken", "here", f"{HERE}:fail"))
