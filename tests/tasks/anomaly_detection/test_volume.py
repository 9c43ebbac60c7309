"""VUS-PR against a slow implementation written from the definition in the paper."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.anomaly_detection.metrics import average_precision, range_auc_pr, vus_pr


def soft_label(labels: list[bool], place: int, length: int) -> float:
    """The label at one place: 1 in an event, else the slopes of all events whose buffer reaches it."""
    if labels[place]:
        return 1.0
    total, starts = (
        0.0,
        [
            (first, next((end for end in range(first, len(labels)) if not labels[end]), len(labels)) - 1)
            for first in range(len(labels))
            if labels[first] and (first == 0 or not labels[first - 1])
        ],
    )
    for first, last in starts:
        distance = first - place if place < first else place - last
        if length and distance <= length // 2:
            total += math.sqrt(1 - distance / length)
    return min(total, 1.0)


def slow_area(labels: list[bool], scores: list[float], length: int) -> float:
    """Range-AUC-PR with loops: every threshold, every event, every row."""
    rows = len(labels)
    soft = [soft_label(labels, place, length) for place in range(rows)]
    segments: list[list[int]] = []
    for place in range(rows):
        if soft[place] > 0:
            if place and soft[place - 1] > 0:
                segments[-1].append(place)
            else:
                segments.append([place])
    positives = (sum(labels) + sum(soft)) / 2
    curve = [(0.0, 1.0)]
    for threshold in sorted(scores, reverse=True):
        predicted = [score >= threshold for score in scores]
        hits = sum(value for value, flag in zip(soft, predicted, strict=True) if flag)
        existing = sum(any(predicted[place] for place in segment) for segment in segments) / len(segments)
        curve.append((min(hits / positives, 1.0) * existing, hits / sum(predicted)))
    return sum((after[0] - before[0]) * (after[1] + before[1]) / 2 for before, after in itertools.pairwise(curve))


@given(st.integers(0, 100_000), st.integers(5, 60), st.integers(0, 12))
def test_it_equals_the_definition(seed: int, rows: int, length: int) -> None:
    draw = np.random.default_rng(seed)
    labels = np.repeat(draw.random(rows) < 0.2, draw.integers(1, 4, rows))[:rows]
    labels[int(draw.integers(rows))] = True
    scores = draw.integers(0, 15, rows) / 7
    area = range_auc_pr(labels, scores, buffer_steps=length)
    assert area == pytest.approx(slow_area(labels.tolist(), scores.tolist(), length))
    areas = [slow_area(labels.tolist(), scores.tolist(), each) for each in range(length + 1)]
    assert vus_pr(labels, scores, largest_buffer=length) == pytest.approx(np.mean(areas))


def test_scores_beside_the_label_earn_something() -> None:
    labels = np.zeros(100, bool)
    labels[50:55] = True
    early = np.zeros(100)
    early[47:52] = 1
    assert vus_pr(labels, early, largest_buffer=10) > average_precision(labels, early)
    perfect = labels.astype(float)
    assert range_auc_pr(labels, perfect, buffer_steps=0) == pytest.approx(1, abs=0.05)


def test_without_labels_there_is_no_volume() -> None:
    assert math.isnan(vus_pr(np.zeros(5, bool), np.arange(5.0), largest_buffer=2))


def test_without_labels_there_is_no_area_either() -> None:
    assert math.isnan(range_auc_pr(np.zeros(5, bool), np.arange(5.0), buffer_steps=2))


def test_an_area_by_hand() -> None:
    """Label in row 1 of 3, buffer 2: soft labels sqrt(1/2), 1, sqrt(1/2), so P = 1 + sqrt(1/2).

    Scores fall from row 1 over row 0 to row 2: recall 1/P, 1, 1 (capped) at precision 1, P/2, (2 P - 1)/3.
    """
    positives = 1 + math.sqrt(0.5)
    recall, precision = [0, 1 / positives, 1, 1], [1, 1, positives / 2, (2 * positives - 1) / 3]
    expected = sum((recall[n + 1] - recall[n]) * (precision[n + 1] + precision[n]) / 2 for n in range(3))
    area = range_auc_pr(np.array([False, True, False]), np.array([2.0, 3.0, 1.0]), buffer_steps=2)
    assert area == pytest.approx(expected)


def test_curves_of_long_series_have_250_points() -> None:
    """As in the paper's code; here one event of two rows, at the top of a thousand."""
    labels = np.zeros(1000, bool)
    labels[:2] = True
    scores = -np.arange(1000.0)
    # Thresholds at ranks int(999 n / 249): rank 0 alone, then 4: recall 1/2 at precision 1, then 1 at 2/5 and falling.
    assert range_auc_pr(labels, scores, buffer_steps=0) == pytest.approx(0.5 * 1 + 0.5 * (1 + 2 / 5) / 2)


def test_the_lowest_score_is_a_threshold_too() -> None:
    """The label has it: recall 0, 1 at precision 0, 1/2."""
    assert range_auc_pr(np.array([False, True]), np.array([2.0, 1.0]), buffer_steps=0) == pytest.approx((0 + 1 / 2) / 2)
