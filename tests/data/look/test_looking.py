"""Spreads, counts, repeats and periods, against values found by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.data.look.repeats import crossing_groups, repeats
from rnnapps.data.look.seasons import found_season, found_seasons
from rnnapps.data.look.spreads import counted, one_sided, spread
from rnnapps.data.series.series import Series
from rnnapps.types import Array


def test_whole_numbers_of_a_few_values_have_a_bin_each():
    found = spread("words", [1, 3, 3, 2, 3])
    assert found is not None and list(found.counts) == [1, 1, 3] and list(found.edges) == [0.5, 1.5, 2.5, 3.5]
    assert found.marks == {"least": 1, "5 %": 1.2, "50 %": 3, "95 %": 3, "largest": 3, "mean": pytest.approx(2.4)}


def test_a_spread_counts_everything_once():
    lengths = np.random.default_rng(0).exponential(3, 1000)
    found = spread("seconds", lengths.tolist())
    assert found is not None and sum(found.counts) == 1000 and len(found.counts) == 12
    assert spread("nothing", []) is None
    same = spread("seconds", [0.25, 0.25])
    assert same is not None and list(same.counts) == [2]


def test_counts_are_sorted_and_a_class_that_hides_the_others_is_told():
    counts = counted("labels", ["walk"] * 95 + ["run"] * 5)
    assert list(counts.counts.items()) == [("walk", 95), ("run", 5)] and counts.kinds == 2
    (caution,) = one_sided(counts, "videos")
    assert caution.text == "95 % of all videos are of one class, 'walk'"
    few = one_sided(counted("labels", ["a"] * 9 + ["b"] * 8 + ["c"]), "videos")
    assert [caution.text for caution in few] == ["fewer than 5 videos of 'c' (1)"]
    assert not one_sided(counted("labels", ["a"] * 9 + ["b"] * 8), "videos")


def test_repeats_within_and_across_parts():
    parts = {
        "train": [("x", "1.wav"), ("y", "2.wav"), ("x", "3.wav")],
        "validation": [("z", "4.wav")],
        "test": [("y", "5.wav"), ("z", "6.wav")],
    }
    listing, cautions = repeats(parts, "recordings", remedy="remove them")
    assert listing is not None
    assert list(listing.rows) == [
        ("within train", 1, 3),
        ("of test also in train", 1, 2),
        ("of test also in validation", 1, 2),
    ]
    assert [caution.text for caution in cautions] == ["1 of 2 test recordings are in training too: 5.wav = 2.wav"]
    assert repeats({"train": [("x", "1")], "test": [("y", "2")]}, "recordings", remedy="") == (None, [])


def test_groups_on_both_sides_of_a_split():
    parts = {"train": ["ann", "bob", ""], "validation": ["cy"], "test": ["bob", "bob", "dee", ""]}
    (caution,) = crossing_groups(parts, "speakers", remedy="hold out speakers")
    assert caution.text == "1 of 2 speakers of test are in training too: bob"


def series(values: Array) -> Series:
    return Series("x", None, values[:, None], ("value",))


@pytest.mark.parametrize("period", [7, 12, 24, 96])
def test_a_period_is_found_and_not_its_multiple(period: int):
    steps = np.arange(period * 12)
    shape = np.random.default_rng(period).normal(size=period)
    noise = np.random.default_rng(1).normal(size=len(steps)) * 0.2
    assert found_season([series(shape[steps % period] * 3 + 0.02 * steps + noise)]) == period


def test_no_period_where_there_is_none():
    generator = np.random.default_rng(0)
    assert found_season([series(generator.normal(size=500))]) == 0
    assert found_season([series(np.cumsum(np.full(500, 0.5)))]) == 0
    assert found_season([series(np.full(500, np.nan))]) == 0
    assert found_season([series(np.arange(4.0))]) == 0


def test_a_period_is_found_behind_a_shift_of_level():
    steps = np.arange(24 * 30)
    assert found_season([series(np.sin(steps * 2 * np.pi / 24) + np.where(steps > 600, 30.0, 0.0))]) == 24


@pytest.mark.parametrize("weekend", [0.0, 1.5])
def test_a_longer_period_is_found_beside_a_shorter_one(weekend: float):
    """Hours of eight weeks whose days are alike; and with weekends that are not."""
    steps = np.arange(24 * 7 * 8)
    days = np.sin(steps * 2 * np.pi / 24) - weekend * (steps // 24 % 7 >= 5)
    noise = np.random.default_rng(0).normal(size=len(steps)) * 0.2
    assert found_seasons([series(days + noise)]) == (24, 168 if weekend else 0)
    assert found_seasons([series(noise)]) == (0, 0)
