from __future__ import annotations

import math

import numpy as np
import pytest

from rnnapps.training.gates import summarise_gate


def test_statistics_of_a_sigmoid_gate_by_hand() -> None:
    values = np.array([[[0.05, 0.5], [0.95, 0.5]], [[0.05, 0.2], [0.99, 0.4]]])
    gate = summarise_gate("layer", "forget", values, np.ones((2, 2), bool))
    assert (gate.low, gate.high) == (2 / 8, 2 / 8)
    assert gate.mean == pytest.approx(values.mean())
    assert gate.mean_over_time == pytest.approx((0.2, 0.71))
    assert sum(gate.histogram) == 8
    assert gate.histogram[1] == 2  # from 0.05 to 0.1
    assert (gate.edges[0], gate.edges[-1]) == (0.0, 1.0)


def test_masked_steps_do_not_count() -> None:
    values = np.array([[[0.0], [1.0]], [[0.0], [0.5]]])
    gate = summarise_gate("layer", "forget", values, np.array([[False, True], [False, True]]))
    assert (gate.mean, gate.low, gate.high) == (0.75, 0.0, 0.5)
    assert math.isnan(gate.mean_over_time[0])
    assert gate.mean_over_time[1] == 0.75
    assert sum(gate.histogram) == 2


def test_range_follows_the_values() -> None:
    valid = np.ones((1, 2), bool)
    tanh = summarise_gate("layer", "candidate", np.array([[[-0.9], [0.85]]]), valid)
    assert (tanh.edges[0], tanh.edges[-1], tanh.low, tanh.high) == (-1.0, 1.0, 0.5, 0.5)
    unbounded = summarise_gate("layer", "candidate", np.array([[[-3.0], [7.0]]]), valid)
    assert (unbounded.edges[0], unbounded.edges[-1]) == (-3.0, 7.0)
    assert math.isnan(unbounded.low) and math.isnan(unbounded.high)


def test_an_all_masked_batch_has_no_figures() -> None:
    gate = summarise_gate("layer", "forget", np.zeros((1, 2, 1)), np.zeros((1, 2), bool))
    assert math.isnan(gate.mean) and math.isnan(gate.low)
    assert sum(gate.histogram) == 0
