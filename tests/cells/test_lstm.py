from __future__ import annotations

import keras
import numpy as np

from rnnapps.cells import LSTM
from tests.cells.keras_parity import check_keras_parity
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        h, c = states
        z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
        new_c = sigmoid(z[3:6]) * c + sigmoid(z[:3]) * np.tanh(z[6:9])
        return [sigmoid(z[9:]) * np.tanh(new_c), new_c]

    check_against(step, LSTM(3, dtype="float64"))


def test_weights_are_those_of_keras() -> None:
    check_keras_parity(LSTM(4), keras.layers.LSTM(4, return_sequences=True, return_state=True))


def test_initial_weights_are_those_of_keras() -> None:
    seeded = {"kernel_initializer": keras.initializers.GlorotUniform(1), "recurrent_initializer": "orthogonal"}
    ours, theirs = LSTM(3, **seeded), keras.layers.LSTM(3, **seeded)
    ours.build((None, None, 5))
    theirs.build((None, None, 5))
    np.testing.assert_array_equal(ours.kernel.numpy(), theirs.cell.kernel.numpy())
    np.testing.assert_array_equal(ours.bias.numpy(), theirs.cell.bias.numpy())
    kernel = ours.recurrent_kernel.numpy()
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(3), atol=1e-6)


def test_forget_bias() -> None:
    cell = LSTM(2, forget_bias=2.5)
    cell.build((None, 1))
    np.testing.assert_array_equal(cell.bias, [0, 0, 2.5, 2.5, 0, 0, 0, 0])
