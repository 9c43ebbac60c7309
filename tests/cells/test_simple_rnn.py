from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from rnnapps.cells import SimpleRNN
from rnnapps.errors import ConfigError
from tests.cells.keras_parity import check_keras_parity
from tests.cells.oracle import check_against


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid", "linear"])
def test_equation(name: str) -> None:
    functions = {
        "tanh": np.tanh,
        "relu": lambda v: np.maximum(v, 0),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "linear": lambda v: v,
    }

    def step(x, states, w):
        return [functions[name](x @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"])]

    check_against(step, SimpleRNN(3, activation=name, dtype="float64"))


def test_by_hand() -> None:
    cell = SimpleRNN(1)
    cell.build((None, 1))
    cell.set_weights([np.array([[2.0]]), np.array([[0.5]]), np.array([-1.0])])
    output, _ = cell(np.array([[1.0]], "float32"), [np.array([[0.4]], "float32")])
    assert float(output[0, 0]) == pytest.approx(math.tanh(2.0 * 1.0 + 0.5 * 0.4 - 1.0))


def test_weights_are_those_of_keras() -> None:
    options = {"return_sequences": True, "return_state": True}
    check_keras_parity(SimpleRNN(4), keras.layers.SimpleRNN(4, **options))
    check_keras_parity(SimpleRNN(4, activation="relu"), keras.layers.SimpleRNN(4, activation="relu", **options))


def test_recurrent_weights_start_orthogonal() -> None:
    cell = SimpleRNN(8, recurrent_initializer=keras.initializers.Orthogonal(gain=0.5))
    cell.build((None, 3))
    kernel = cell.recurrent_kernel.numpy()
    np.testing.assert_allclose(kernel @ kernel.T, 0.25 * np.eye(8), atol=1e-6)


@pytest.mark.parametrize("units", [0, -3, 2.5, "4", True])
def test_units_must_be_a_positive_integer(units: object) -> None:
    with pytest.raises(ConfigError, match="SimpleRNN: expected a positive integer as units"):
        SimpleRNN(units)  # type: ignore[arg-type]
