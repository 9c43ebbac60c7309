from __future__ import annotations

import numpy as np

from rnnapps.cells import CfC
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        backbone = 1.7159 * np.tanh(0.666 * (x @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"]))
        f, g, k = np.split(backbone @ w["heads_kernel"] + w["heads_bias"], 3)
        share = sigmoid(-2.5 * f)
        return [share * np.tanh(g) + (1 - share) * np.tanh(k)]

    check_against(step, CfC(3, step=2.5, dtype="float64"))
