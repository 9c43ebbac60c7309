"""Random masks that are cheap wherever they are computed.

XLA computes TensorFlow's counter-based generators on a CPU one value after the other, and anew for every use: dropout
then takes several times longer than the network around it. A hash of each element's number is a few integer
instructions on whole vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from rnnapps.types import Size, Tensor

__all__ = ["random_mask"]


def random_mask(shape: Sequence[Size], probability: float, seed: Tensor) -> Tensor:
    """Draws True with the given probability, independently for every element.

    The hash is Wellons's `lowbias32` (github.com/skeeto/hash-prospector), applied to each element's
    number, and again after a hash of the seed is added.

    Args:
        shape: sizes, ints or scalar tensors; fewer than 2 ** 31 elements.
        probability: of True, 0 to 1; met to within 2 ** -24.
        seed: integers `(2,)`, such as a `keras.random.SeedGenerator` yields; the same seed gives the same mask.

    Returns:
        bool tensor of the shape.
    """
    seed = tf.cast(seed, tf.uint32)
    key = _hash(_hash(seed[0]) + seed[1])
    numbers = tf.cast(tf.range(tf.reduce_prod(tf.stack(list(shape)))), tf.uint32)
    bits = _hash(_hash(numbers) + key)
    threshold = round(probability * 2**24)
    return tf.reshape(tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.int32) < threshold, shape)


def _hash(bits: Tensor) -> Tensor:
    """`lowbias32` of each of the uint32 numbers."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        bits = _mixed(bits, shift) * tf.constant(factor, tf.uint32)
    return _mixed(bits, 16)


def _mixed(bits: Tensor, shift: int) -> Tensor:
    """Bits ^ (bits >> shift)."""
    return tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint32)))
