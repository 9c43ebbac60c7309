"""Numbers in the bytes of files, with TensorFlow core ops: headers are read before anything is decoded."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["big_endian", "bytes_at", "little_endian"]


def bytes_at(contents: Tensor, places: Tensor, count: int) -> Tensor:
    """Some bytes of each file.

    Args:
        contents: strings `(files,)`.
        places: int32 or int64 `(files,)`, where to begin; a place behind a file's end counts as its end.
        count: how many.

    Returns:
        int64 `(files, count)`, 0 behind a file's end.
    """
    inside = tf.minimum(places, tf.cast(tf.strings.length(contents), places.dtype))
    parts = tf.strings.substr(contents, inside, tf.fill(tf.shape(inside), tf.cast(count, places.dtype)))
    return tf.cast(tf.io.decode_raw(parts, tf.uint8, fixed_length=count), tf.int64)


def big_endian(data: Tensor) -> Tensor:
    """Bytes `(files, count)`, the highest first, as numbers, int64 `(files,)`."""
    return _number(data, [256**power for power in reversed(range(data.shape[1]))])


def little_endian(data: Tensor) -> Tensor:
    """Bytes `(files, count)`, the lowest first, as numbers, int64 `(files,)`."""
    return _number(data, [256**power for power in range(data.shape[1])])


def _number(data: Tensor, factors: list[int]) -> Tensor:
    return tf.reduce_sum(tf.cast(data, tf.int64) * tf.constant(factors, tf.int64), axis=1)
