"""Event counts against hand-computed cases, and their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.anomaly_detection.judge import Judged, event_metrics
from rnnapps.tasks.anomaly_detection.metrics import (
    EventCounts,
    composite_f1,
    count_events,
    intervals,
    merge_overlapping,
)

FLAGS = st.lists(st.booleans(), min_size=1, max_size=60).map(lambda flags: np.array(flags))


def test_a_labelled_event_counts_once_and_what_overlaps_it_is_never_false() -> None:
    labelled = [(10, 20), (40, 50), (80, 80)]
    flagged = [(5, 10), (15, 16), (18, 30), (51, 60), (80, 90)]
    counts = count_events(labelled, flagged)
    assert counts == EventCounts(true_positives=2, false_negatives=1, false_positives=1)
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.recall == pytest.approx(2 / 3)


def test_one_flag_may_find_several_events() -> None:
    assert count_events([(0, 1), (5, 6)], [(0, 9)]) == EventCounts(2, 0, 0)


def test_f05_of_the_published_figures() -> None:
    """Precision 0.875 and recall 0.8: (1.25 * 0.875 * 0.8) / (0.25 * 0.875 + 0.8)."""
    counts = EventCounts(true_positives=28, false_negatives=7, false_positives=4)
    assert counts.f_score(0.5) == pytest.approx(0.875 / 1.01875)
    assert EventCounts().f_score() == 0


def test_counts_of_series_add_up() -> None:
    assert EventCounts(1, 2, 3) + EventCounts(4, 5, 6) == EventCounts(5, 7, 9)


@given(FLAGS)
def test_intervals_are_the_runs_of_true(flags: np.ndarray) -> None:
    found = np.zeros(len(flags), bool)
    events = intervals(flags)
    for first, last in events:
        assert not found[max(first - 1, 0) : last + 1].any()
        found[first : last + 1] = True
    assert (found == flags).all()
    assert merge_overlapping(events[::-1]) == events


@given(FLAGS, FLAGS)
def test_counts_agree_with_rows(labels: np.ndarray, flags: np.ndarray) -> None:
    size = min(len(labels), len(flags))
    labelled, flagged = intervals(labels[:size]), intervals(flags[:size])
    counts = count_events(labelled, flagged)
    assert counts.true_positives + counts.false_negatives == len(labelled)
    assert counts.true_positives == sum(flags[first : last + 1].any() for first, last in labelled)
    assert counts.false_positives == sum(not labels[:size][first : last + 1].any() for first, last in flagged)


@pytest.mark.parametrize(
    ("events", "merged"),
    [
        ([(0, 3), (4, 6)], [(0, 6)]),  # the next row: they touch
        ([(0, 3), (5, 6)], [(0, 3), (5, 6)]),  # one row between them
        ([(0, 3), (3, 6)], [(0, 6)]),  # one row in common
        ([(5, 6), (0, 9), (2, 3)], [(0, 9)]),  # one within another: the longer end stays
        ([(7, 7), (1, 1), (2, 2)], [(1, 2), (7, 7)]),
        ([], []),
    ],
)
def test_events_that_touch_are_one(events: list[tuple[int, int]], merged: list[tuple[int, int]]) -> None:
    assert merge_overlapping(events) == merged


def test_events_that_touch_do_not_overlap() -> None:
    """Rows 4 and 5 are neighbours: flagging one finds nothing of the other."""
    assert count_events([(2, 4)], [(5, 6)]) == EventCounts(0, 1, 1)
    assert count_events([(5, 6)], [(2, 4)]) == EventCounts(0, 1, 1)


def test_both_ends_belong_to_an_event() -> None:
    assert intervals(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert count_events([(4, 6)], [(6, 9)]) == EventCounts(1, 0, 0)
    assert count_events([(4, 6)], [(1, 4)]) == EventCounts(1, 0, 0)


def test_scores_of_nothing() -> None:
    assert EventCounts() == EventCounts(0, 0, 0)
    assert EventCounts(false_positives=2).precision == 0
    assert EventCounts(false_negatives=2).recall == 0
    assert EventCounts(0, 2, 2).f_score() == 0


def test_beta_weighs_precision_and_recall() -> None:
    """P = 1/2, R = 1/4: F1 = 2 PR / (P + R) = 1/3; F0.5 = 1.25 PR / (P/4 + R) = 5/12; F2 = 5 PR / (4 P + R) = 5/18."""
    counts = EventCounts(1, 3, 1)
    assert [counts.f_score(beta) for beta in (1, 0.5, 2)] == pytest.approx([1 / 3, 5 / 12, 5 / 18])
    assert counts.f_score() == counts.f_score(0.5)


def test_a_detector_that_flags_everything_is_not_perfect() -> None:
    """By events alone it is: the composite F1 counts the rows flagged in vain (2PR / (P + R), P = 0.0152, R = 1)."""
    labels, flags = np.zeros(10_000, bool), np.ones(10_000, bool)
    labels[100:201] = labels[5000:5051] = True
    assert count_events([(100, 200), (5000, 5050)], [(0, 99_999)]).f_score(0.5) == 1
    assert composite_f1(labels, flags) == pytest.approx(2 * 0.0152 / 1.0152)
    judged = Judged("x", flags.astype(float), 0.5, np.zeros((10_000, 1)), labels.astype(int), None, ((0, 9_999),))
    metrics, figures = event_metrics([judged], row_seconds=0.0)
    assert (metrics["event_f05"], figures["flagged_share"], figures["labelled_share"]) == (1.0, 1.0, 0.0152)
    assert metrics["auc_pr"] == pytest.approx(0.0152)
    assert next(iter(metrics)) == "auc_pr"


def test_the_composite_score_by_hand() -> None:
    labels = np.array([0, 1, 1, 0, 0, 1, 1, 0], bool)
    flags = np.array([0, 0, 1, 1, 1, 0, 0, 0], bool)
    assert composite_f1(labels, flags) == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    assert composite_f1(labels, np.zeros(8, bool)) == 0
    assert np.isnan(composite_f1(np.zeros(8, bool), flags))
