"""Successive halving, on records that are made up."""

from __future__ import annotations

import math

import pytest

from rnnapps.search.choice import best, finalists, repeated
from rnnapps.search.halving import Record, promotable, rung_steps

RUNGS = [10, 30, 90]


@pytest.mark.parametrize(
    ("steps", "every", "rungs"),
    [
        (2700, 100, [100, 300, 900, 2700]),
        (2000, 200, [200, 400, 800, 2000]),
        (300, 100, [100, 300]),
        (2400, 1200, [1200, 2400]),
        (60, 20, [20, 60]),
        (50, 100, [50]),
        (1000, 300, [300, 600, 1000]),
    ],
)
def test_rungs_are_ends_of_intervals_and_the_last_step(steps: int, every: int, rungs: list[int]) -> None:
    assert rung_steps(steps, every) == rungs


def records(*values: dict[int, float]) -> list[Record]:
    """The first is the baseline; what has come to the last rung is done."""
    return [
        Record(number, {"units": number}, given, "done" if RUNGS[-1] in given else "open")
        for number, given in enumerate(values)
    ]


def test_nobody_goes_on_before_three_have_come() -> None:
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0}, {})
    assert promotable(known, RUNGS, higher_is_better=False) is None
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0}, {10: 6.0})
    assert promotable(known, RUNGS, higher_is_better=False) == (known[1], 30)
    assert promotable(known, RUNGS, higher_is_better=True) == (known[2], 30)


def test_who_has_gone_on_or_is_at_it_makes_no_place_for_another() -> None:
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0, 30: 3.5}, {10: 4.5}, {10: 7.0})
    assert promotable(known, RUNGS, higher_is_better=False) is None  # a third of four is one, who has gone on
    six = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0}, {10: 4.5}, {10: 7.0}, {10: 8.0}, {10: 9.0})
    assert promotable(six, RUNGS, higher_is_better=False, busy={1}) == (six[2], 30)


def test_the_furthest_rung_is_served_first() -> None:
    late = {10: 4.0, 30: 3.5}
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, late, {10: 4.1, 30: 3.9}, {10: 3.0}, {10: 8.0}, {10: 9.0})
    assert promotable(known, RUNGS, higher_is_better=False) == (known[1], 90)


def test_one_that_failed_keeps_its_place_and_is_not_trained() -> None:
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0}, {10: 6.0})
    known[1] = Record(1, {}, {10: 4.0}, "failed")
    assert promotable(known, RUNGS, higher_is_better=False) is None


def test_finalists_are_those_that_came_furthest_and_beat_the_baseline_there() -> None:
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0, 30: 4.5}, {10: 4.1, 30: 3.9}, {10: 1.0}, {10: 6.0}, {})
    assert finalists(known, higher_is_better=False) == [2, 3]
    assert finalists(known, higher_is_better=True) == [1, 4]
    ahead = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 2.0}, {10: 3.0}, {10: 1.0}, {10: 4.0, 30: 3.0})
    assert finalists(ahead, higher_is_better=False) == [4, 3, 1]


def test_only_seeds_that_all_were_trained_with_count() -> None:
    facts = {"repeat/0/8": 3.0, "repeat/2/8": 2.0, "repeat/0/9": 5.0, "repeat/3/8": 9.0}
    assert repeated(facts, [0, 2], 7) == {0: [3.0], 2: [2.0]}
    assert repeated(facts, [0, 2, 5], 7) == {0: [], 2: [], 5: []}


def test_the_best_is_so_by_further_seeds_and_not_by_the_seed_it_was_found_with() -> None:
    known = records({10: 5.0, 30: 4.0, 90: 3.0}, {10: 4.0, 30: 3.0, 90: 1.0}, {10: 4.0, 30: 3.0, 90: 2.0})
    lucky = {0: [3.0, 3.2], 1: [4.0, 3.1], 2: [2.5, 2.9]}
    assert best(known, lucky, higher_is_better=False) == 2
    assert best(known, lucky, higher_is_better=True) == 1
    assert best(known, {0: [3.0], 1: [math.inf], 2: [3.1]}, higher_is_better=False) == 0
    assert best(known, {0: [], 1: [], 2: []}, higher_is_better=False) == 1  # nothing was repeated
    assert best(records({10: 5.0}, {10: 1.0}), {0: [], 1: []}, higher_is_better=False) == 1
