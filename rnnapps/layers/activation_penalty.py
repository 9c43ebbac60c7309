"""What a loss may add for large or restless outputs of a recurrent network."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["activation_penalty"]


def activation_penalty(outputs: Tensor, mask: Tensor | None, *, size: float, change: float) -> Tensor:
    """Activation regularisation and temporal activation regularisation, Merity et al. 2017 (arXiv:1708.01009).

        size * mean(h_t^2) + change * mean((h_t - h_{t-1})^2)

    Means are over all valid steps, or pairs of neighbouring valid steps, of all rows, and over the units; of none, 0.

    Args:
        outputs: h `(batch, time, units)`.
        mask: `(batch, time)`, True or not 0 where a step is valid; None where all are.
        size: alpha of AR.
        change: beta of TAR.

    Returns:
        float32 scalar.
    """
    outputs = tf.cast(outputs, tf.float32)
    valid = tf.ones(tf.shape(outputs)[:2]) if mask is None else tf.cast(tf.cast(mask, tf.bool), tf.float32)
    penalty = size * _mean(tf.square(outputs), valid)
    return penalty + change * _mean(tf.square(outputs[:, 1:] - outputs[:, :-1]), valid[:, 1:] * valid[:, :-1])


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    """The mean of `(batch, time, units)` where `(batch, time)` is 1, without what is 0."""
    by_step = tf.reduce_mean(values, axis=-1)
    return tf.math.divide_no_nan(tf.reduce_sum(by_step * valid), tf.reduce_sum(valid))
