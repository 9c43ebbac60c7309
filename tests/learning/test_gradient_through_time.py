"""Why gates: the gradient dL/dh_t over 100 steps, L the sum of the squares of the last output."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import LSTM, Cell, SimpleRNN
from rnnapps.kernels import reference

STEPS, UNITS = 100, 16


def gradient_norms(cell: Cell) -> np.ndarray:
    """The norm of dL/dh_t of each step, relative to that of the last."""
    keras.utils.set_random_seed(0)
    inputs = tf.constant(np.random.default_rng(0).normal(size=(4, STEPS, 3)), "float32")
    cell.build(inputs.shape)
    with tf.GradientTape() as tape:
        start = cell.initial_states(4)
        tape.watch(start)
        steps = reference.hidden_states(cell, cell.project(inputs), start)
        loss = tf.reduce_sum(steps[-1][0] ** 2)
    gradients = tape.gradient(loss, [step[0] for step in steps])
    norms = np.array([np.linalg.norm(np.asarray(gradient, "float64")) for gradient in gradients])
    return norms / norms[-1]


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.25])
def test_scaled_orthogonal_network_by_hand(gain: float) -> None:
    """A linear network with W = gain * orthogonal changes the norm by exactly the gain a step."""
    cell = SimpleRNN(UNITS, activation="linear", recurrent_initializer=keras.initializers.Orthogonal(gain))
    expected = gain ** np.arange(STEPS - 1, -1, -1.0)
    np.testing.assert_allclose(gradient_norms(cell), expected, rtol=1e-3)


def test_simple_rnn_vanishes() -> None:
    norms = gradient_norms(SimpleRNN(UNITS, recurrent_initializer=keras.initializers.Orthogonal(0.9)))
    assert norms[0] < 1e-9 and norms[STEPS // 2] < 1e-4


def test_simple_rnn_explodes() -> None:
    norms = gradient_norms(SimpleRNN(UNITS, recurrent_initializer=keras.initializers.Orthogonal(4.0)))
    assert norms[0] > 1e3


def test_lstm_keeps_the_gradient() -> None:
    norms = gradient_norms(LSTM(UNITS, forget_bias=5.0))
    assert norms[:-1].min() > 0.01 and norms.max() < 10
