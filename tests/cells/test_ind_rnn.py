from __future__ import annotations

import numpy as np

from rnnapps.cells import IndRNN
from tests.cells.oracle import check_against


def test_equation() -> None:
    def step(x, states, w):
        return [np.tanh(x @ w["kernel"] + w["recurrent_kernel"] * states[0] + w["bias"])]

    check_against(step, IndRNN(3, activation="tanh", dtype="float64"))


def test_rectifies_by_default() -> None:
    def step(x, states, w):
        return [np.maximum(0, x @ w["kernel"] + w["recurrent_kernel"] * states[0] + w["bias"])]

    check_against(step, IndRNN(3, dtype="float64"))


def test_recurrent_weights_start_between_0_and_1() -> None:
    cell = IndRNN(100)
    cell.build((None, 2))
    weights = cell.recurrent_kernel.numpy()
    assert weights.shape == (100,) and 0 <= weights.min() < 0.2 and 0.8 < weights.max() <= 1
