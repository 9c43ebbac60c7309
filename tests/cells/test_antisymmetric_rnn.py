from __future__ import annotations

import numpy as np

from rnnapps.cells import AntisymmetricRNN
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        past = states[0] @ (w["recurrent_kernel"] - w["recurrent_kernel"].T - 0.2 * np.eye(3))
        z, g = np.split(x @ w["kernel"] + w["bias"], 2)
        return [states[0] + 0.5 * sigmoid(z + past) * np.tanh(g + past)]

    check_against(step, AntisymmetricRNN(3, step=0.5, diffusion=0.2, dtype="float64"))
