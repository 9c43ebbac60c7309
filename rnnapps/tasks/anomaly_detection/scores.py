"""From errors to scores: standardised, smoothed and joined over channels; the same in any division of a series."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.kernels.apart import apart
from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.prefixes import last_of, running_recurrence
from rnnapps.types import NamedTensors, Tensor

__all__ = ["Averages", "Scores", "channel_errors", "fill_expected", "first_averages", "join", "smooth", "widen_levels"]

SMALLEST = 1e-12


class Averages(NamedTuple):
    """State of the exponential averages.

    Attributes:
        sums: weighted sums of errors `(batch, spans, targets)`.
        weights: sums of the weights `(batch, spans, targets)`.
    """

    sums: Tensor
    weights: Tensor


class Scores(NamedTuple):
    """What a row gets.

    Attributes:
        score: higher is more anomalous `(batch, time)`.
        contribution: share of each watched channel in the score `(batch, time, targets)`; not negative, sums to 1,
            or to 0 where the score is 0.
    """

    score: Tensor
    contribution: Tensor


def channel_errors(
    errors: Tensor, valid: Tensor, *, calibration: NamedTensors, group: Tensor, config: DetectionConfig
) -> Tensor:
    """Errors as non-negative heights, one a channel.

    "absolute" takes |e|, in deviations of the held-out errors when `config.normalise`. "mahalanobis" whitens the errors
    symmetrically, z = Σ^(-1/2)(e - μ), and takes |z|: the squares sum to the squared Mahalanobis distance
    (Malhotra et al. 2015, "Long Short Term Memory Networks for Anomaly Detection in Time Series", section 2.2), and
    each belongs to the channel whose error it is closest to. Where some channels have no error, theirs is what is
    expected of the others: the distance is then that of the others alone.

    Args:
        errors: `(batch, time, targets)`.
        valid: 1 where there is an error, else 0 `(batch, time, targets)`.
        calibration: numbers of `Calibration.values`.
        group: int32 `(batch,)`.
        config: the settings.
    """
    errors = valid * (errors - tf.gather(calibration["centre"], group)[:, None]) if config.normalise else valid * errors
    if config.scorer == "mahalanobis":
        whitening = tf.gather(calibration["whitening"], group)
        errors = fill_expected(errors, valid, whitening)
        return tf.abs(_whitened(errors, whitening)) * valid
    if config.normalise:
        errors = errors / tf.gather(calibration["scale"], group)[:, None]
    return tf.abs(errors)


def _whitened(errors: Tensor, whitening: Tensor) -> Tensor:
    """Errors `(batch, time, targets)` by matrices `(batch, targets, targets)`."""
    if errors.shape[1] == 1:  # an einsum of one row a series is ten times as long in coming as in computing
        return tf.reduce_sum(errors[:, 0, :, None] * whitening, axis=1)[:, None]
    return tf.einsum("btc,bcd->btd", errors, whitening)


def fill_expected(errors: Tensor, valid: Tensor, whitening: Tensor) -> Tensor:
    """Errors e, and where there is none, what is expected by the others: it makes e'Λe smallest, Λ = Σ^(-1).

    With the indices of known errors k and of unknown ones u it solves Λ_uu e_u = -Λ_uk e_k. It is asked only where some
    errors of a row are known and others are not: all other rows stay as they are.
    """
    some = tf.reduce_any(valid > 0, axis=-1) & tf.reduce_any(valid <= 0, axis=-1)
    if in_portable_graph():  # every row is solved, one that has nothing to ask for with a matrix of ones
        known = tf.where(some[..., None], valid, tf.ones_like(valid))
        filled = _solved(known, errors, whitening[:, None])
        return tf.where(some[..., None], filled, errors)

    def with_expected() -> Tensor:
        places = tf.where(some)
        filled = _solved(tf.gather_nd(valid, places), tf.gather_nd(errors, places), tf.gather(whitening, places[:, 0]))
        return tf.tensor_scatter_nd_update(errors, places, filled)

    return tf.ensure_shape(tf.cond(tf.reduce_any(some), apart(with_expected), lambda: errors), errors.shape)


def _solved(valid: Tensor, errors: Tensor, whitening: Tensor) -> Tensor:
    """Rows `(..., targets)` with the expected errors in the places of unknown ones."""
    known, given, root = (tf.cast(part, tf.float64) for part in (valid, errors, whitening))
    precision = tf.matmul(root, root)
    unknown = 1 - known
    matrix = unknown[..., :, None] * precision * unknown[..., None, :] + tf.linalg.diag(known)
    expected = tf.linalg.solve(matrix, -unknown[..., None] * tf.matmul(precision, given[..., None]))[..., 0]
    return tf.cast(given + unknown * expected, tf.float32)


def first_averages(batch: Tensor | int, config: DetectionConfig, targets: int) -> Averages:
    """The averages before the first row."""
    zeros = tf.zeros([batch, len(config.smoothing_steps), targets])
    return Averages(zeros, zeros)


def smooth(heights: Tensor, valid: Tensor, averages: Averages, config: DetectionConfig) -> tuple[Tensor, Averages]:
    """Exponential averages over the rows so far, of every span, each weighted to sum to 1 from the first row on.

    A row without an error leaves the averages as they are.

    Args:
        heights: `(batch, time, targets)`.
        valid: 1 where there is an error, else 0 `(batch, time, targets)`.
        averages: those of the rows before.
        config: the settings.

    Returns:
        Smoothed heights `(batch, time, spans, targets)` and the averages after the last row.
    """
    keep = tf.constant([1 - 2 / (span + 1) for span in config.smoothing_steps], tf.float32)[:, None]
    # Both recurrences s_t = f_t s_(t-1) + g_t x_t are run together: x is the height for the sums, 1 for the weights;
    # f = keep and g = 1 - keep where there is an error, f = 1 and g = 0 where there is none.
    counts = valid[:, :, None]  # (batch, time, 1, targets); `keep` is (spans, 1)
    factors = counts * keep + (1 - counts)
    gains = counts * (1 - keep)
    inputs = tf.stack([gains * heights[:, :, None], gains], axis=2)
    start = tf.stack(averages, axis=1)
    both = running_recurrence(factors[:, :, None], inputs, start)
    final = last_of(start, both)
    return both[:, :, 0] / tf.maximum(both[:, :, 1], SMALLEST), Averages(final[:, 0], final[:, 1])


def join(
    smoothed: Tensor, valid: Tensor, *, calibration: NamedTensors, group: Tensor, config: DetectionConfig
) -> Scores:
    """One score a row: each channel's height in units of its usual one, of the span that stands out most.

    A channel without an error in a row has no part in the row's score, whatever its average.

    Args:
        smoothed: `(batch, time, spans, targets)`.
        valid: 1 where there is an error, else 0 `(batch, time, targets)`.
        calibration: numbers of `Calibration.values`.
        group: int32 `(batch,)`.
        config: the settings.
    """
    if config.normalise:
        level = tf.gather(calibration["level"], group)[:, None, : len(config.smoothing_steps)]
        smoothed = smoothed / level
    heights = tf.reduce_max(smoothed, axis=2) * valid
    mean = tf.math.divide_no_nan(tf.reduce_sum(heights, -1), tf.reduce_sum(valid, -1))
    score = tf.reduce_max(heights, -1) if config.aggregate == "max" else mean
    squares = tf.square(heights)
    return Scores(score, tf.math.divide_no_nan(squares, tf.reduce_sum(squares, axis=-1, keepdims=True)))


def widen_levels(smoothed: Tensor, out: Tensor, widening: Tensor) -> Tensor:
    """Smoothed heights in units of what is usual while some channels are silent.

    A silent channel d alone makes the heights of channel c w_dc times higher; of several the variances add up:
    1 + Σ_d (w_dc² - 1).

    Args:
        smoothed: `(batch, time, spans, targets)`.
        out: 1 where a channel is silent or not yet settled, else 0 `(batch, time, channels)`.
        widening: of `Calibration.values`.
    """
    spans, targets = smoothed.shape[2:]

    def widened() -> Tensor:
        more = tf.reshape(tf.square(widening[:, :spans]) - 1, [-1, spans * targets])
        return smoothed / tf.sqrt(1 + tf.reshape(tf.matmul(out, more), tf.shape(smoothed)))

    if in_portable_graph():
        return widened()
    # Mostly all channels speak, and the heights stay as they are, divided by 1.
    return tf.ensure_shape(tf.cond(tf.reduce_any(out > 0), apart(widened), lambda: smoothed), smoothed.shape)
