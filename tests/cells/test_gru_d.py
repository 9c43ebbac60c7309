"""GRU-D against NumPy, written from the paper's equations: values missing here and there, at irregular times."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps import Recurrent
from rnnapps.cells import GRUD
from rnnapps.errors import ConfigError

ROWS, STEPS, FEATURES, UNITS = 2, 6, 3, 4
MEANS = [0.5, -1.0, 2.0]


def problem() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    values = random.normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32)
    values[random.random(values.shape) < 0.4] = np.nan
    return values, random.exponential(size=(ROWS, STEPS)).astype(np.float32)


def random_cell() -> GRUD:
    cell = GRUD(UNITS, FEATURES, means=MEANS)
    cell.build((None, FEATURES))
    random = np.random.default_rng(4)
    for weight in cell.weights:
        weight.assign(random.normal(scale=0.5, size=weight.shape))
    return cell


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def by_hand(cell: GRUD, values: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
    """All outputs of one row."""
    w, v, u, b, w_h, b_h, w_x, b_x = (weight.numpy() for weight in cell.weights)
    means, h, outputs = np.array(MEANS), np.zeros(UNITS), []
    last, since, seen_before = means, np.zeros(FEATURES), np.zeros(FEATURES)
    for x, gap in zip(values, elapsed, strict=True):
        m = (~np.isnan(x)).astype(float)
        since = gap + (1 - seen_before) * since
        left = np.exp(-np.maximum(0, w_x * since + b_x))
        filled = np.where(m == 1, x, left * last + (1 - left) * means)
        h = np.exp(-np.maximum(0, since @ w_h + b_h)) * h
        z = sigmoid((filled @ w + m @ v + b)[:UNITS] + h @ u[:, :UNITS])
        r = sigmoid((filled @ w + m @ v + b)[UNITS : 2 * UNITS] + h @ u[:, UNITS : 2 * UNITS])
        candidate = np.tanh((filled @ w + m @ v + b)[2 * UNITS :] + (r * h) @ u[:, 2 * UNITS :])
        h, last, seen_before = (1 - z) * h + z * candidate, np.where(m == 1, x, last), m
        outputs.append(h)
    return np.array(outputs)


def test_values_are_those_of_the_paper() -> None:
    values, elapsed = problem()
    cell = random_cell()
    outputs = Recurrent(cell, return_sequences=True)(values, elapsed=elapsed)
    expected = [by_hand(cell, *row) for row in zip(values, elapsed, strict=True)]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_gradients_of_missing_values_are_0_and_all_kernels_agree() -> None:
    values, elapsed = problem()
    cell, results = random_cell(), []
    for kernel in ("graph", "reference"):
        layer, inputs = Recurrent(cell, return_sequences=True, kernel=kernel), tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.sin(layer(inputs, elapsed=elapsed, training=True)))
        results.append(tape.gradient(loss, [inputs, *(weight.value for weight in cell.weights)]))
    for actual, expected in zip(*results, strict=True):
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    assert not results[0][0].numpy()[np.isnan(values)].any()


def test_a_fresh_cell_forgets_by_its_half_life() -> None:
    keras.utils.set_random_seed(1)
    cell = GRUD(UNITS, FEATURES, half_life=2.0)
    cell.build((None, FEATURES))
    gates = cell.gates(cell.project(tf.ones((1, FEATURES)), elapsed=tf.constant([[4.0]])), (), cell.initial_states(1))
    np.testing.assert_allclose(gates["left"], [[0.25] * UNITS], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GRUD(4, 3, means=[0.0]), "expected 3 means, one a feature, got 1"),
        (lambda: GRUD(4, 3, half_life=0), "expected a half_life above 0, got 0"),
        (lambda: GRUD(4, 3).build((None, 2)), "made for 3 features, got inputs of 2"),
    ],
)
def test_what_does_not_fit_is_told(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
