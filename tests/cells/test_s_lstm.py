from __future__ import annotations

import numpy as np

from rnnapps.cells import SLSTM
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    """With two heads, each of whose units see their own head only."""

    def step(x, states, w):
        h, c, n, m = states
        past = [np.split(part @ kernel, 4) for part, kernel in zip(np.split(h, 2), w["recurrent_kernel"], strict=True)]
        i, f, z, o = np.split(x @ w["kernel"] + w["bias"], 4) + np.concatenate(past, axis=1)
        c, n = (np.exp(m) * part for part in (c, n))  # as the paper's equations have them
        c = sigmoid(f) * c + np.exp(i) * np.tanh(z)
        n = sigmoid(f) * n + np.exp(i)
        m = np.maximum(np.log(sigmoid(f)) + m, i)
        return [sigmoid(o) * c / n, np.exp(-m) * c, np.exp(-m) * n, m]

    check_against(step, SLSTM(4, heads=2, dtype="float64"))


def test_gates_stay_finite() -> None:
    """Input gates of exp(1000) and exp(-1000), from which the equations as printed make inf / inf and 0 / 0."""
    for exponent in (1000.0, -1000.0):
        cell = SLSTM(1)
        cell.build((None, 1))
        cell.kernel.assign(np.zeros((1, 4)))
        cell.recurrent_kernel.assign(np.zeros((1, 1, 4)))
        cell.bias.assign([exponent, 0, 1, 0])
        states = cell.initial_states(1)
        for _ in range(2):
            output, states = cell(np.zeros((1, 1), "float32"), states)
            np.testing.assert_allclose(output, [[0.5 * np.tanh(1.0)]], rtol=1e-5)


def test_first_bias() -> None:
    cell = SLSTM(4)
    cell.build((None, 1))
    np.testing.assert_allclose(cell.bias, [0] * 4 + [3, 4, 5, 6] + [0] * 8)
