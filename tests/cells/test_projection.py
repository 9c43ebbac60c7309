from __future__ import annotations

import numpy as np
import pytest

from rnnapps.cells import GRU, LSTM, MGU, IndRNN, Projection, Residual
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against, sigmoid


def test_equations_of_lstmp() -> None:
    def step(x, states, w):
        p, _, c = states
        z = x @ w["kernel"] + p @ w["recurrent_kernel"] + w["bias"]
        new_c = sigmoid(z[3:6]) * c + sigmoid(z[:3]) * np.tanh(z[6:9])
        h = sigmoid(z[9:]) * np.tanh(new_c)
        return [h @ w["projection_kernel"], h, new_c]

    check_against(step, Projection(LSTM(3, dtype="float64"), 2))


def test_equations_with_a_gru() -> None:
    def step(x, states, w):
        p, h = states
        a, b = x @ w["kernel"] + w["bias"][0], p @ w["recurrent_kernel"] + w["bias"][1]
        z, r = sigmoid(a[:3] + b[:3]), sigmoid(a[3:6] + b[3:6])
        h = z * h + (1 - z) * np.tanh(a[6:] + r * b[6:])
        return [h @ w["projection_kernel"], h]

    check_against(step, Projection(GRU(3, dtype="float64"), 2))


@pytest.mark.parametrize("cell", [GRU(3, reset_after=False), MGU(3), IndRNN(3), Residual(LSTM(3))])
def test_cells_that_need_their_own_output(cell) -> None:
    with pytest.raises(ConfigError, match="cannot read a projected output"):
        Projection(cell, 2)


def test_cell_must_be_new() -> None:
    cell = LSTM(3)
    cell.build((None, 2))
    with pytest.raises(ConfigError, match="built already"):
        Projection(cell, 2)
