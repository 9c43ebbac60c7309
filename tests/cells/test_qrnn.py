from __future__ import annotations

import numpy as np

from rnnapps.cells import QRNN
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        z, f, o = np.split(x @ w["kernel"] + states[2] + w["bias"], 3)
        c = sigmoid(f) * states[1] + (1 - sigmoid(f)) * np.tanh(z)
        return [sigmoid(o) * c, c, x @ w["previous_kernel"]]

    check_against(step, QRNN(3, dtype="float64"))
