from __future__ import annotations

import numpy as np

from rnnapps.cells import MGU
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        (h,) = states
        a, u = x @ w["kernel"] + w["bias"], w["recurrent_kernel"]
        f = sigmoid(a[:3] + h @ u[:, :3])
        return [(1 - f) * h + f * np.tanh(a[3:] + (f * h) @ u[:, 3:])]

    check_against(step, MGU(3, dtype="float64"))
