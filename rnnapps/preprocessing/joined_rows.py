"""Rows of different lengths, one behind the other."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["join_rows"]


def join_rows(first: Tensor, lengths: Tensor, second: Tensor) -> Tensor:
    """Puts rows behind others, each where the other ends, in graph.

    Args:
        first: `(batch, time, ...)`.
        lengths: int32 `(batch,)`, valid places of the first.
        second: `(batch, time, ...)`, what follows.

    Returns:
        `(batch, time, ...)`, as wide as both together; what stands behind the end of the second is of no meaning.
    """
    both = tf.concat([first, second], axis=1)
    width = tf.shape(both)[1]
    place, begin = tf.range(width)[None], lengths[:, None]
    place = tf.where(place < begin, place, tf.shape(first)[1] + place - begin)
    return tf.gather(both, tf.minimum(place, width - 1), batch_dims=1)
