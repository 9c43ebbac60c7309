from __future__ import annotations

import numpy as np

from rnnapps.cells import LayerNormLSTM
from tests.cells.oracle import check_against, sigmoid


def normalized(values):
    return (values - values.mean()) / np.sqrt(values.var() + 1e-5)


def test_equations() -> None:
    def step(x, states, w):
        h, c = states
        z = normalized(x @ w["kernel"]) * w["input_gain"]
        z = z + normalized(h @ w["recurrent_kernel"]) * w["recurrent_gain"] + w["bias"]
        new_c = sigmoid(z[3:6]) * c + sigmoid(z[:3]) * np.tanh(z[6:9])
        return [sigmoid(z[9:]) * np.tanh(normalized(new_c) * w["state_gain"] + w["state_bias"]), new_c]

    check_against(step, LayerNormLSTM(3, dtype="float64"))


def test_output_does_not_depend_on_the_scale_of_the_input() -> None:
    cell, x = LayerNormLSTM(4), np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    output = cell(100 * x, cell.initial_states(3))[0]
    np.testing.assert_allclose(output, cell(1000 * x, cell.initial_states(3))[0], atol=1e-5)
