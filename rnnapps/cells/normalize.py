"""Normalisation of one step's activations, as the layer-normalised cells use it."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["normalize", "rms_normalize", "unit_length"]


def normalize(values: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Shifts and scales the last axis to mean 0 and variance 1, Ba et al. 2016 (arXiv:1607.06450), equation 3.

    The statistics are computed in float32 or better, so half precision loses nothing in them, and the variance from
    the centred values, so large means lose nothing either.

    Args:
        values: `(..., features)`, the number of features known.
        epsilon: added to the variance.
    """

    @tf.custom_gradient
    def normalized(wide: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        centred = wide - _mean(wide)
        scale = tf.math.rsqrt(_mean(centred * centred) + epsilon)
        result = centred * scale

        # With y the result and m(.) the mean over the row: dL/dx = s * (d - m(d) - y * m(d * y)), s = 1 / deviation.
        def gradient(upstream: Tensor) -> Tensor:
            return scale * (upstream - _mean(upstream) - result * _mean(upstream * result))

        return result, gradient

    values = keras.ops.convert_to_tensor(values)
    wide = tf.cast(values, keras.backend.result_type(values.dtype, "float32"))
    return tf.cast(normalized(wide), values.dtype)


def _mean(values: Tensor) -> Tensor:
    """Mean over the last axis `(..., 1)`, as a matrix product: on a CPU, XLA sums rows one number after the other."""
    features = values.shape[-1]
    return keras.ops.matmul(values, tf.fill([features, 1], tf.constant(1 / features, values.dtype)))


def rms_normalize(values: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Scales the last axis to a mean square of 1, Zhang & Sennrich 2019 (arXiv:1910.07467), equation 4.

    The mean is computed in float32 or better.

    Args:
        values: `(..., features)`, the number of features known.
        epsilon: added to the mean.
    """
    values = keras.ops.convert_to_tensor(values)
    wide = tf.cast(values, keras.backend.result_type(values.dtype, "float32"))
    return tf.cast(wide * tf.math.rsqrt(_mean(wide * wide) + epsilon), values.dtype)


def unit_length(values: Tensor, epsilon: float = 1e-6) -> Tensor:
    """Scales the last axis `(..., features)` to a sum of squares of 1; `epsilon` is added to the sum."""
    features = values.shape[-1]
    return rms_normalize(values, epsilon / features) / features**0.5
