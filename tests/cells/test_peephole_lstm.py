from __future__ import annotations

import numpy as np

from rnnapps.cells import PeepholeLSTM
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        h, c = states
        z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
        p_i, p_f, p_o = w["peepholes"]
        new_c = sigmoid(z[3:6] + p_f * c) * c + sigmoid(z[:3] + p_i * c) * np.tanh(z[6:9])
        return [sigmoid(z[9:] + p_o * new_c) * np.tanh(new_c), new_c]

    check_against(step, PeepholeLSTM(3, dtype="float64"))


def test_initial_peepholes_are_small() -> None:
    cell = PeepholeLSTM(50)
    cell.build((None, 2))
    peepholes = np.abs(cell.peepholes)
    assert peepholes.shape == (3, 50) and 0 < peepholes.max() <= 0.1
