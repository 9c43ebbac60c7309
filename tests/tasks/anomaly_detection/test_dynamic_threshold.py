"""The dynamic threshold against the formulas of the paper, and on scores whose anomalies are plain."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnnapps.tasks.anomaly_detection.dynamic_threshold import (
    DynamicThreshold,
    detect_dynamic,
    find_epsilon,
    prune,
    widen,
)

SMALL = DynamicThreshold(window_steps=400, stride_steps=50, buffer_steps=5)


def noise(rows: int = 1000, seed: int = 0) -> np.ndarray:
    return np.abs(np.random.default_rng(seed).normal(size=rows)) * 0.05 + 0.1


def slow_epsilon(scores: np.ndarray) -> float:
    """Section 3.2 with loops, without a buffer."""
    best, found = -1.0, scores.mean() + 12 * scores.std()
    for step in range(19):
        epsilon = scores.mean() + (2.5 + 0.5 * step) * scores.std()
        above = [row for row in range(len(scores)) if scores[row] >= epsilon]
        if not above or len(above) >= len(scores) / 2:
            continue
        groups = 1 + sum(row - before > 1 for before, row in itertools.pairwise(above))
        below = np.array([score for score in scores if score < epsilon])
        gain = (scores.mean() - below.mean()) / scores.mean() + (scores.std() - below.std()) / scores.std()
        value = gain / (len(above) + groups**2)
        if value >= best and groups <= 5:
            best, found = value, epsilon
    return float(found)


@pytest.mark.parametrize("seed", range(8))
def test_epsilon_maximises_what_the_paper_says(seed: int) -> None:
    scores = noise(300, seed)
    draw = np.random.default_rng(seed)
    for first in draw.integers(0, 280, 3):
        scores[first : first + 8] += draw.random()
    assert find_epsilon(scores) == pytest.approx(slow_epsilon(scores))


def test_constant_scores_have_no_exceedance() -> None:
    assert find_epsilon(np.full(100, 0.3)) >= 0.3
    assert find_epsilon(np.zeros(100)) == 0


def test_pruning_keeps_what_stands_above_the_last_large_drop() -> None:
    """Sorted peaks 10, 9.5, 5, 4.9, then the normal 4.8: drops of 5, 47, 2 and 2 %."""
    assert prune([5.0, 10.0, 4.9, 9.5], 4.8, least_drop=0.13) == [False, True, False, True]
    assert prune([5.0, 4.9], 4.8, least_drop=0.13) == [False, False]
    assert prune([5.0], 1.0, least_drop=0.13) == [True]


def test_widening_reaches_both_ways() -> None:
    flags = np.zeros(10, bool)
    flags[[0, 6]] = True
    assert np.flatnonzero(widen(flags, 2)).tolist() == [0, 1, 2, 4, 5, 6, 7, 8]


def test_a_plain_anomaly_is_found_and_nothing_else() -> None:
    scores = noise()
    scores[600:630] += 1.0
    values = np.random.default_rng(1).normal(size=1000)
    assert detect_dynamic(scores, values, SMALL) == [(595, 634)]


def test_what_is_small_against_the_values_is_ignored() -> None:
    scores = noise() * 0.01
    scores[600:630] += 0.01
    assert detect_dynamic(scores, np.random.default_rng(1).normal(size=1000) * 10, SMALL) == []


def test_the_floor_and_the_first_rows_are_never_flagged() -> None:
    scores = noise()
    scores[600:630] += 1.0
    scores[20:40] += 2.0
    values = np.random.default_rng(1).normal(size=1000)
    ignoring = DynamicThreshold(window_steps=400, stride_steps=50, buffer_steps=5, ignored_steps=60)
    assert detect_dynamic(scores, values, ignoring) == [(595, 634)]
    assert detect_dynamic(scores, values, DynamicThreshold(400, 50, 5, ignored_steps=60, floor=5.0)) == []
