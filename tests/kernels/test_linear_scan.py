"""The linear recurrence: hand-computed values, and both forms against a plain loop, gradients included."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.kernels.linear_scan import Form, linear_scan

FORMS: tuple[Form, ...] = ("parallel", "sequential")


@pytest.mark.parametrize("form", FORMS)
def test_hand_computed(form: Form) -> None:
    a, b = tf.constant([[[0.5]], [[2.0]], [[0.0]]]), tf.constant([[[1.0]], [[0.0]], [[3.0]]])
    states, final = linear_scan(a, b, tf.constant([[4.0]]), form=form)
    np.testing.assert_allclose(states[:, 0, 0], [3, 6, 3])
    np.testing.assert_allclose(final, [[3]])
    states, final = linear_scan(a, b, tf.constant([[4.0]]), reverse=True, form=form)
    np.testing.assert_allclose(states[:, 0, 0], [4, 6, 3])
    np.testing.assert_allclose(final, [[4]])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("time", [1, 2, 7])
def test_agrees_with_a_loop(form: Form, reverse: bool, masked: bool, time: int) -> None:
    random = np.random.default_rng(time)
    a, b = (tf.constant(random.normal(size=(time, 2, 3)), tf.float32) for _ in range(2))
    start = tf.constant(random.normal(size=(2, 3)), tf.float32)
    mask = tf.constant(random.random((time, 2)) < 0.6) if masked else None

    def plain() -> tf.Tensor:
        state, states = start, {}
        for t in reversed(range(time)) if reverse else range(time):
            new = a[t] * state + b[t]
            state = new if mask is None else tf.where(mask[t][:, None], new, state)
            states[t] = state
        return tf.stack([states[t] for t in range(time)])

    def fast() -> tf.Tensor:
        return linear_scan(a, b, start, mask=mask, reverse=reverse, form=form)[0]

    values, gradients = [], []
    for function in (plain, fast):
        with tf.GradientTape() as tape:
            tape.watch([a, b, start])
            states = function()
            loss = tf.reduce_sum(tf.sin(states) * tf.reshape(tf.range(time, dtype=tf.float32) + 1, (-1, 1, 1)))
        values.append(states)
        gradients.append(tape.gradient(loss, [a, b, start]))
    np.testing.assert_allclose(values[1], values[0], atol=1e-5, rtol=1e-5)
    for actual, expected in zip(gradients[1], gradients[0], strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4, rtol=1e-4)


def test_parallel_needs_a_fixed_length() -> None:
    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, 1, 1))])
    def run(a: tf.Tensor) -> tf.Tensor:
        return linear_scan(a, a, a[0], form="parallel")[0]

    with pytest.raises(ConfigError, match="fixed number of time steps"):
        run.get_concrete_function()
