from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnapps.cells import RGLRU
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        u, r, i = np.split(x @ w["kernel"], 3)
        r, i = sigmoid(r + w["bias"][:3]), sigmoid(i + w["bias"][3:])
        a = sigmoid(w["decay"]) ** (8 * r)
        return [a * states[0] + np.sqrt(1 - a**2) * (i * u)]

    check_against(step, RGLRU(3, dtype="float64"))


def test_first_decay() -> None:
    cell = RGLRU(1000)
    cell.build((None, 1))
    decays = sigmoid(cell.decay.numpy().astype("float64")) ** 8
    assert 0.899 < decays.min() < 0.905 and 0.994 < decays.max() < 0.9995
    np.testing.assert_allclose(decays.mean(), 0.9495, atol=0.005)  # evenly between 0.9 and 0.999


def test_a_closed_gate_has_a_gradient() -> None:
    cell = RGLRU(1)
    cell.build((None, 1))
    cell.bias.assign([-200, 0])
    inputs = tf.ones((1, 1))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output, _ = cell(inputs, [tf.ones((1, 1))])
    np.testing.assert_allclose(output, 1, atol=1e-5)
    assert np.all(np.isfinite(tape.gradient(output, inputs)))
