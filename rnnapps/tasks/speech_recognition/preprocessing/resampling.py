"""Conversion of sample rates with TensorFlow core ops, for graphs that are served."""

from __future__ import annotations

import math

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["resample"]

ZERO_CROSSINGS = 32
ROLL_OFF = 0.94
"""Share of the lower of both bandwidths that is kept."""

LEAST_PHASES, MOST_PHASES = 64, 2000
LARGEST_MATRIX = 1 << 24
"""Weights: 64 MB, and a few times as much while they are computed."""

HIGHEST_RATE_HZ = 384_000


def resample(samples: Tensor, from_hz: Tensor, to_hz: int) -> Tensor:
    """Band-limited interpolation with a Hann-windowed sinc (Smith, "Digital Audio Resampling", 2002).

    Output k lies at input sample k * from / to. With both rates divided by their greatest common divisor, `to` outputs
    read stretches of the input that repeat every `from` samples: one matrix product does all of them.

    Args:
        samples: float32 `(samples,)`.
        from_hz: int32 scalar, the rate of `samples`; `to_hz` over the greatest common divisor of both rates must not be
            above 2,000, which holds for all usual rates.
        to_hz: rate of the result.

    Returns:
        float32 `(ceil(samples * to / from),)`.
    """
    from_hz = tf.cast(from_hz, tf.int32)
    return tf.cond(tf.equal(from_hz, to_hz), lambda: tf.identity(samples), lambda: _converted(samples, from_hz, to_hz))


def _converted(samples: Tensor, from_hz: Tensor, to_hz: int) -> Tensor:
    """`resample` of rates that differ."""
    divisor = _greatest_common_divisor(from_hz, tf.constant(to_hz))
    refusal = f"the WAV file's sample rate cannot be converted to {to_hz} Hz; resample it"
    checks = [
        tf.debugging.assert_less_equal(to_hz // divisor, MOST_PHASES, refusal),
        tf.debugging.assert_less_equal(from_hz, HIGHEST_RATE_HZ, "the WAV file's sample rate is too high"),
        tf.debugging.assert_greater_equal(from_hz, 1000, "the WAV file's sample rate is below 1,000 Hz"),
    ]
    with tf.control_dependencies(checks):
        times = tf.maximum(1, LEAST_PHASES * divisor // to_hz)
    phases, period = times * to_hz // divisor, times * from_hz // divisor
    wanted = tf.cast(-(-tf.cast(tf.size(samples), tf.int64) * to_hz // tf.cast(from_hz, tf.int64)), tf.int32)
    kept = ROLL_OFF * tf.minimum(1.0, to_hz / tf.cast(from_hz, tf.float32))
    reach = tf.cast(tf.math.ceil(ZERO_CROSSINGS / kept), tf.int32)
    read = period + 2 * reach
    with tf.control_dependencies([tf.debugging.assert_less_equal(read * phases, LARGEST_MATRIX, refusal)]):
        read = tf.identity(read)

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


def _hann(share: Tensor) -> Tensor:
    """The window at a share of its reach, -1 to 1: 1 in the middle and 0 at both ends."""
    return tf.cos(math.pi / 2 * share) ** 2


def _sinc(values: Tensor) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0."""
    angle = math.pi * values
    return tf.where(tf.abs(angle) < 1e-6, 1.0, tf.sin(angle) / tf.where(tf.abs(angle) < 1e-6, 1.0, angle))


def _greatest_common_divisor(left: Tensor, right: Tensor) -> Tensor:
    """By Euclid's algorithm, in graph: one of the rates is known only from the file."""
    return tf.while_loop(lambda a, b: b > 0, lambda a, b: (b, a % b), [left, right])[0]
