from __future__ import annotations

import numpy as np

from rnnapps.cells import LayerNormGRU
from tests.cells.oracle import check_against, sigmoid


def normalized(values):
    return (values - values.mean()) / np.sqrt(values.var() + 1e-5)


def test_equations() -> None:
    def step(x, states, w):
        (h,) = states
        a, b = x @ w["kernel"], h @ w["recurrent_kernel"]
        a = np.concatenate([normalized(a[:6]), normalized(a[6:])]) * w["input_gain"] + w["bias"]
        b = np.concatenate([normalized(b[:6]), normalized(b[6:])]) * w["recurrent_gain"]
        z, r = sigmoid(a[:3] + b[:3]), sigmoid(a[3:6] + b[3:6])
        return [(1 - z) * h + z * np.tanh(a[6:] + r * (b[6:] + w["candidate_bias"]))]

    check_against(step, LayerNormGRU(3, dtype="float64"))
