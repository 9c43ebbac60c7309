from __future__ import annotations

import numpy as np

from rnnapps.cells import CoupledLSTM
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        f, g, o = np.split(x @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"], 3)
        c = sigmoid(f) * states[1] + (1 - sigmoid(f)) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]

    check_against(step, CoupledLSTM(3, dtype="float64"))


def test_other_activations() -> None:
    """Those of `LSTM`."""

    def step(x, states, w):
        f, g, o = np.split(x @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"], 3)
        f, o = np.tanh(f), np.tanh(o)
        c = f * states[1] + (1 - f) * sigmoid(g)
        return [o * sigmoid(c), c]

    check_against(step, CoupledLSTM(3, activation="sigmoid", recurrent_activation="tanh", dtype="float64"))


def test_forget_bias() -> None:
    for value, expected in ((2.0, [2, 2, 0, 0, 0, 0]), (None, [0] * 6)):
        cell = CoupledLSTM(2, forget_bias=value)
        cell.build((None, 1))
        np.testing.assert_array_equal(cell.bias, expected)
