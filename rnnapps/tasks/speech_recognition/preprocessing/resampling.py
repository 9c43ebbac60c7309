"""Conversion of sample rates with TensorFlow core ops, for graphs that are served."""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["is_convertible", "resample"]

ZERO_CROSSINGS = 32
ROLL_OFF = 0.94
"""Share of the lower of both bandwidths that is kept."""

LEAST_PHASES, MOST_PHASES = 64, 2000
LARGEST_MATRIX = 1 << 22
"""Weights: 16 MB, and a few times as much while they are computed."""

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 384_000


class _Conversion(NamedTuple):
    """How one rate becomes another, int32 of any shape.

    Attributes:
        phases: outputs that one product makes.
        period: inputs after which it is repeated.
        reach: inputs to both sides that an output depends on.
    """

    phases: Tensor
    period: Tensor
    reach: Tensor


def is_convertible(from_hz: Tensor, to_hz: int) -> Tensor:
    """Whether `resample` can convert rates, int32 of any shape and value: bool of the same shape."""
    known = (from_hz >= LOWEST_RATE_HZ) & (from_hz <= HIGHEST_RATE_HZ)
    phases, period, reach = _conversion(tf.where(known, from_hz, to_hz), to_hz)
    weights = tf.cast(period + 2 * reach, tf.int64) * tf.cast(phases, tf.int64)
    return tf.equal(from_hz, to_hz) | known & (phases <= MOST_PHASES) & (weights <= LARGEST_MATRIX)


def resample(samples: Tensor, from_hz: Tensor, to_hz: int) -> Tensor:
    """Band-limited interpolation with a Hann-windowed sinc (Smith, "Digital Audio Resampling", 2002).

    Output k lies at input sample k * from / to. With both rates divided by their greatest common divisor, `to` outputs
    read stretches of the input that repeat every `from` samples: one matrix product does all of them.

    Args:
        samples: float32 `(samples,)`.
        from_hz: int32 scalar, the rate of `samples`; `is_convertible` must hold, as it does for all usual rates.
        to_hz: rate of the result.

    Returns:
        float32 `(ceil(samples * to / from),)`.
    """
    from_hz = tf.cast(from_hz, tf.int32)
    return tf.cond(tf.equal(from_hz, to_hz), lambda: tf.identity(samples), lambda: _converted(samples, from_hz, to_hz))


def _converted(samples: Tensor, from_hz: Tensor, to_hz: int) -> Tensor:
    """`resample` of rates that differ."""
    phases, period, reach = _conversion(from_hz, to_hz)
    wanted = tf.cast(-(-tf.cast(tf.size(samples), tf.int64) * to_hz // tf.cast(from_hz, tf.int64)), tf.int32)
    kept = _kept(from_hz, to_hz)
    read = period + 2 * reach

    # Row j of the matrix weighs the input sample j - reach places after the beginning of a period.
    places = tf.cast(tf.range(read) - reach, tf.float64)[:, None]
    centres = tf.cast(tf.range(phases), tf.float64) * tf.cast(from_hz, tf.float64) / to_hz
    distance = tf.cast(places - centres[None], tf.float32)
    window = tf.where(tf.abs(distance) < tf.cast(reach, tf.float32), _hann(distance / tf.cast(reach, tf.float32)), 0.0)
    weights = kept * _sinc(kept * distance) * window

    periods = -(-wanted // phases)
    missing = tf.maximum(periods * period + reach - tf.size(samples), 0)
    padded = tf.pad(samples, [[reach, missing]])
    stretches = tf.signal.frame(padded, read, period)[:periods]
    return tf.reshape(tf.linalg.matmul(stretches, weights), [-1])[:wanted]


def _conversion(from_hz: Tensor, to_hz: int) -> _Conversion:
    """The sizes of a conversion; of a rate that is 0 or negative nothing can be said."""
    divisor = _greatest_common_divisor(from_hz, to_hz)
    times = tf.maximum(1, LEAST_PHASES * divisor // to_hz)
    reach = tf.cast(tf.math.ceil(ZERO_CROSSINGS / _kept(from_hz, to_hz)), tf.int32)
    return _Conversion(times * to_hz // divisor, times * from_hz // divisor, reach)


def _kept(from_hz: Tensor, to_hz: int) -> Tensor:
    """The share of the input's bandwidth that is kept."""
    return ROLL_OFF * tf.minimum(1.0, to_hz / tf.cast(from_hz, tf.float32))


def _hann(share: Tensor) -> Tensor:
    """The window at a share of its reach, -1 to 1: 1 in the middle and 0 at both ends."""
    return tf.cos(math.pi / 2 * share) ** 2


def _sinc(values: Tensor) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0."""
    angle = math.pi * values
    return tf.where(tf.abs(angle) < 1e-6, 1.0, tf.sin(angle) / tf.where(tf.abs(angle) < 1e-6, 1.0, angle))


def _greatest_common_divisor(left: Tensor, right: int) -> Tensor:
    """By Euclid's algorithm, in graph: rates are known only from the files."""

    def body(divisor: Tensor, rest: Tensor) -> tuple[Tensor, Tensor]:
        over = rest > 0
        return tf.where(over, rest, divisor), tf.where(over, divisor % tf.maximum(rest, 1), 0)

    start = (tf.zeros_like(left) + right, left % right)
    return tf.while_loop(lambda _, rest: tf.reduce_any(rest > 0), body, start)[0]
