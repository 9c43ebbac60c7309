"""Random masks that are cheap wherever they are computed.

XLA computes TensorFlow's counter-based generators on a CPU one value after the other, and anew for every use: dropout
then takes several times longer than the network around it. A hash of each element's number is a few integer
instructions on whole vectors.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Sequence

import tensorflow as tf

from rnnapps.types import Size, Tensor

__all__ = ["drawn_for_part", "random_mask"]

_PART: contextvars.ContextVar[int] = contextvars.ContextVar("part", default=0)
"""Which part of a batch's rows the masks are for that are traced now."""


@contextlib.contextmanager
def drawn_for_part(number: int) -> Iterator[None]:
    """Masks that are made inside are those which part number `number` of a batch's rows has within the whole batch.

    The parts are of one size, each of them neighbouring rows, and a mask has the rows as its first axis: so several
    workers, each with a part of a batch, draw what one would draw for all of it.
    """
    token = _PART.set(number)
    try:
        yield
    finally:
        _PART.reset(token)


def random_mask(shape: Sequence[Size], probability: float, seed: Tensor, *, of_rows: bool = True) -> Tensor:
    """Draws True with the given probability, independently for every element.

    The hash is Wellons's `lowbias32` (github.com/skeeto/hash-prospector), applied to each element's
    number, and again after a hash of the seed is added.

    Args:
        shape: sizes, ints or scalar tensors; fewer than 2 ** 31 elements, in all parts of a batch together.
        probability: of True, 0 to 1; met to within 2 ** -24.
        seed: integers `(2,)`, such as a `keras.random.SeedGenerator` yields; the same seed gives the same mask.
        of_rows: whether the first axis are a batch's rows, so that each part of them has a mask of its own; without,
            all parts of a batch have the same, as what is no row needs it: a mask of weights.

    Returns:
        bool tensor of the shape.
    """
    seed = tf.cast(seed, tf.uint32)
    key = _hash(_hash(seed[0]) + seed[1])
    count = tf.reduce_prod(tf.stack(list(shape)))
    numbers = tf.range(count)
    if of_rows and (part := _PART.get()):
        numbers += part * count
    numbers = tf.cast(numbers, tf.uint32)
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
