from __future__ import annotations

import keras
import numpy as np
import pytest

from rnnapps.cells import GRU
from tests.cells.keras_parity import check_keras_parity
from tests.cells.oracle import check_against, sigmoid


def test_equations_with_reset_after() -> None:
    def step(x, states, w):
        (h,) = states
        a, b = x @ w["kernel"] + w["bias"][0], h @ w["recurrent_kernel"] + w["bias"][1]
        z, r = sigmoid(a[:3] + b[:3]), sigmoid(a[3:6] + b[3:6])
        return [z * h + (1 - z) * np.tanh(a[6:] + r * b[6:])]

    check_against(step, GRU(3, dtype="float64"))


def test_equations_with_reset_before() -> None:
    def step(x, states, w):
        (h,) = states
        a, u = x @ w["kernel"] + w["bias"], w["recurrent_kernel"]
        z, r = sigmoid(a[:3] + h @ u[:, :3]), sigmoid(a[3:6] + h @ u[:, 3:6])
        return [z * h + (1 - z) * np.tanh(a[6:] + (r * h) @ u[:, 6:])]

    check_against(step, GRU(3, reset_after=False, dtype="float64"))


@pytest.mark.parametrize("reset_after", [True, False])
def test_weights_are_those_of_keras(reset_after: bool) -> None:
    layer = keras.layers.GRU(4, reset_after=reset_after, return_sequences=True, return_state=True)
    check_keras_parity(GRU(4, reset_after=reset_after), layer)
