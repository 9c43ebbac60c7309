"""The last output of each row."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["last_output"]


def last_output(outputs: Tensor, start: Tensor, mask: Tensor | None, *, reverse: bool) -> Tensor:
    """The output of each row's last valid step in running order; of a row without one, that of its first step.

    Args:
        outputs: `(batch, time, size)`.
        start: the first of the initial states `(batch, size)`, which stands for the output where there is no step.
        mask: bool `(batch, time)`, True where a step is valid, or None.
        reverse: whether the last step was run first.
    """
    if mask is None and outputs.shape[1]:
        return outputs[:, 0 if reverse else -1]
    if mask is None:
        ends = [outputs[:, :1], start[:, None]] if reverse else [start[:, None], outputs[:, -1:]]
        return tf.concat(ends, axis=1)[:, 0 if reverse else -1]
    if not outputs.shape[1]:
        empty = tf.cast(tf.equal(tf.shape(outputs)[1], 0), tf.int32)
        outputs = tf.concat([outputs, tf.tile(start[:, None], [1, empty, 1])], axis=1)
        mask = tf.pad(mask, [[0, 0], [0, empty]])
    steps = tf.range(tf.shape(outputs)[1])
    index = tf.argmax(tf.cast(mask, tf.int32), axis=1) if reverse else tf.reduce_max(tf.where(mask, steps, 0), axis=1)
    return tf.gather(outputs, index, batch_dims=1)
