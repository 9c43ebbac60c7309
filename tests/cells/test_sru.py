from __future__ import annotations

import numpy as np

from rnnapps.cells import SRU
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        u, f, r, s = np.split(x @ w["kernel"], 4)
        (v_f, v_r), (b_f, b_r) = (np.split(w[name], 2) for name in ("state_kernel", "bias"))
        f, r = sigmoid(f + v_f * states[1] + b_f), sigmoid(r + v_r * states[1] + b_r)
        c = f * states[1] + (1 - f) * u
        return [r * c + (1 - r) * s, c]

    check_against(step, SRU(3, dtype="float64"))
