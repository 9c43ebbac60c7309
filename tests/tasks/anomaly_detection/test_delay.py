"""Delays, false alarms and the point-adjusted F1, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnapps.tasks.anomaly_detection.metrics import detection_delays, false_alarms_per_day, point_adjusted_f1
from rnnapps.tasks.anomaly_detection.metrics.point_adjusted import WARNING


def test_delay_runs_from_the_label_to_the_first_flag() -> None:
    labelled = [(10, 20), (30, 40), (50, 60)]
    assert detection_delays(labelled, [(15, 16), (13, 13), (25, 35)]) == [3, 0]


def test_false_alarms_per_day() -> None:
    assert false_alarms_per_day(3, 2 * 24 * 60, row_seconds=60) == pytest.approx(1.5)
    assert math.isnan(false_alarms_per_day(3, 100, row_seconds=0))


def test_one_flagged_row_adjusts_its_whole_event() -> None:
    labels = np.array([0, 1, 1, 1, 1, 0, 0, 1], bool)
    flags = np.array([0, 0, 1, 0, 0, 1, 0, 0], bool)
    assert point_adjusted_f1(labels, flags) == pytest.approx(2 * 4 / (5 + 5))


def test_random_flags_look_good_to_it() -> None:
    """What its warning says: a random detector scores near 1 on long events."""
    labels = np.zeros(10_000, bool)
    labels[1000:6000] = True
    flags = np.random.default_rng(0).random(10_000) < 0.01
    assert "random scores reach values near 1" in WARNING
    assert point_adjusted_f1(labels, flags) > 0.98


@pytest.mark.parametrize(("flagged", "delays"), [((20, 25), [10]), ((21, 25), []), ((5, 10), [0]), ((5, 9), [])])
def test_both_ends_of_an_event_and_of_a_flag_belong_to_it(flagged: tuple[int, int], delays: list[int]) -> None:
    assert detection_delays([(10, 20)], [flagged]) == delays


def test_a_day_without_end_has_no_rate() -> None:
    assert math.isnan(false_alarms_per_day(3, 100, row_seconds=math.inf))
    assert math.isnan(false_alarms_per_day(3, 100, row_seconds=math.nan))
    assert false_alarms_per_day(1, 1, row_seconds=0.5) == pytest.approx(172_800)


def test_nothing_flagged_and_nothing_labelled_scores_nothing() -> None:
    none = np.zeros(3, bool)
    assert point_adjusted_f1(none, none) == 0
    assert point_adjusted_f1(np.array([1, 0, 0], bool), none) == 0


def test_adjusting_leaves_the_flags_alone() -> None:
    flags = np.array([True, False])
    point_adjusted_f1(np.array([True, True]), flags)
    assert flags.tolist() == [True, False]


@pytest.mark.parametrize(
    ("labels", "flags", "expected"),
    [
        ([1, 1, 1, 0], [0, 0, 1, 0], 1.0),  # its last row finds an event
        ([1, 1, 1, 0], [1, 0, 0, 0], 1.0),  # and its first
        ([1, 0, 0], [1, 0, 0], 1.0),  # the row behind an event is not adjusted
        ([1, 0, 0], [0, 1, 0], 0.0),  # nor does it find the event
        ([0, 1, 0], [1, 0, 0], 0.0),  # nor the row before
    ],
)
def test_rows_beside_an_event_are_none_of_it(labels: list[int], flags: list[int], expected: float) -> None:
    assert point_adjusted_f1(np.array(labels, bool), np.array(flags, bool)) == expected
