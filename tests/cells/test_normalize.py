from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells.normalize import normalize


def in_float64(values: np.ndarray, upstream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The definition, differentiated by TensorFlow."""
    x = tf.constant(values, "float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        result = (x - mean) / tf.sqrt(variance + 1e-5)
    return result.numpy(), tape.gradient(result, x, tf.constant(upstream, "float64")).numpy()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("shape", [(3, 7), (2, 3, 16), (64,), (2, 1)])
def test_values_and_gradient(shape: tuple[int, ...], compiled: bool) -> None:
    rng = np.random.default_rng(0)
    values, upstream = rng.normal(2, 3, shape), rng.normal(size=shape)

    @tf.function(jit_compile=compiled, autograph=False)
    def differentiated(x, d):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = normalize(x)
        return result, tape.gradient(result, x, d)

    have = differentiated(tf.constant(values, "float32"), tf.constant(upstream, "float32"))
    for actual, expected in zip(have, in_float64(values, upstream), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_a_large_mean_does_not_drown_the_variance() -> None:
    values = (10_000 + np.random.default_rng(1).normal(size=(2, 512))).astype("float32")
    expected, _ = in_float64(values, np.ones_like(values))
    np.testing.assert_allclose(normalize(values), expected, atol=2e-3)


def test_half_precision_has_statistics_of_single_precision() -> None:
    values = tf.constant(np.random.default_rng(2).normal(100, 1, (3, 256)), "bfloat16")
    result = normalize(values)
    assert result.dtype == "bfloat16"
    expected, _ = in_float64(values.numpy().astype("float64"), np.ones((3, 256)))
    np.testing.assert_allclose(tf.cast(result, "float32"), expected, rtol=2**-8, atol=1e-3)


def test_second_derivative() -> None:
    x = tf.constant(np.random.default_rng(3).normal(size=(5,)))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            loss = tf.reduce_sum(tf.sin(normalize(x)))
        gradient = inner.gradient(loss, x)
    hessian = outer.jacobian(gradient, x, experimental_use_pfor=False).numpy()
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-10)
    assert np.abs(hessian).max() > 0.1
