"""Rankings against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from rnnapps.tasks.anomaly_detection.metrics import area_under_roc, average_precision


@given(st.integers(0, 10_000), st.integers(2, 200), st.sampled_from([3, 10, 1000]))
def test_areas_equal_those_of_scikit_learn(seed: int, rows: int, levels: int) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.random(rows) < 0.3
    labels[:2] = [True, False]
    scores = draw.integers(0, levels, rows) / levels
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert area_under_roc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


def test_one_kind_alone_has_no_area() -> None:
    assert math.isnan(average_precision(np.zeros(3, bool), np.arange(3)))
    assert math.isnan(area_under_roc(np.ones(3, bool), np.arange(3)))


def test_areas_by_hand() -> None:
    """Ranked: 1, 0, then one of each at equal scores. Recall 1/2 at precision 1, recall 1 at precision 2/4."""
    labels, scores = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.1, 0.1])
    assert average_precision(labels, scores) == pytest.approx((1 + 2 / 4) / 2)
    # Of the four pairs the first anomalous row wins two, the other loses one and ties one.
    assert area_under_roc(labels, scores) == pytest.approx(2.5 / 4)
    assert math.isnan(area_under_roc(np.zeros(3, bool), np.arange(3)))
