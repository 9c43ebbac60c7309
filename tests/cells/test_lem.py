from __future__ import annotations

import numpy as np

from rnnapps.cells import LEM
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        s, r, z, y = np.split(x @ w["kernel"] + w["bias"], 4)
        past = np.split(states[0] @ w["recurrent_kernel"], 3)
        s, r = 0.5 * sigmoid(s + past[0]), 0.5 * sigmoid(r + past[1])
        new = (1 - s) * states[1] + s * np.tanh(z + past[2])
        return [(1 - r) * states[0] + r * np.tanh(y + new @ w["state_kernel"]), new]

    check_against(step, LEM(3, step=0.5, dtype="float64"))
