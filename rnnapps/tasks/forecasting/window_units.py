"""What a window is measured in: its own mean and deviation, taken in float64 before anything is cast to float32."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.types import Tensor

__all__ = ["WindowUnits", "read_units"]

ROUNDING = 1e-14
"""Deviations up to this share of the largest value are rounding of float64: such a window counts as constant."""


class WindowUnits(NamedTuple):
    """Centre and unit of windows; a network's number f means centre + unit * f.

    Attributes:
        centre: float64 `(batch, 1, channels)`.
        unit: float64 `(batch, 1, channels)`; 0 where neither the window nor its series ever varied.
    """

    centre: Tensor
    unit: Tensor

    def apply(self, values: Tensor) -> Tensor:
        """Values float64 `(batch, rows, channels)` as a network reads them, float32; their distance where unit is 0."""
        return tf.cast((values - self.centre) / tf.where(self.unit > 0, self.unit, 1.0), tf.float32)

    def invert(self, numbers: Tensor) -> Tensor:
        """A network's numbers `(batch, horizon, channels)` in the units of the data, float64."""
        return self.centre + self.unit * tf.cast(numbers, tf.float64)

    def invert_quantiles(self, numbers: Tensor) -> Tensor:
        """`invert` for quantiles `(batch, horizon, channels, quantiles)`."""
        return self.centre[..., None] + self.unit[..., None] * tf.cast(numbers, tf.float64)


def read_units(values: Tensor, present: Tensor, ids: Tensor, *, scaler: SeriesScaler, own: bool) -> WindowUnits:
    """The units of windows of histories.

    A window that varies has its own mean and deviation; so nothing of it depends on what its series is measured in. A
    constant one has the deviation of its series' training rows, and one without any value their mean too. What training
    never saw has no such rows: a window without variation is then taken for one of a constant.

    Args:
        values: float64 `(batch, history, channels)`, any finite number where missing.
        present: bool, of that shape.
        ids: int32 `(batch,)`, see `SeriesScaler.ids`.
        scaler: of the training rows.
        own: take the units of the window itself; else those of its series, where training saw it.
    """
    tables = (scaler.centre, scaler.scale, scaler.unit)
    stored, scale, unit = (tf.gather(tf.constant(table), ids)[:, None] for table in tables)
    known = (ids > 0)[:, None, None]
    centre, deviation, exists = _mean_and_deviation(values, present)
    deviation = tf.where(deviation > 0, deviation, tf.where(known, scale, tf.zeros_like(scale)))
    window = WindowUnits(tf.where(exists, centre, stored), tf.where(exists, deviation, scale))
    if own:
        return window
    if scaler.method == "none":
        return WindowUnits(stored, unit)
    return WindowUnits(tf.where(known, stored, window.centre), tf.where(known, unit, window.unit))


def _mean_and_deviation(values: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the present values of each window and channel; a deviation of rounding alone is 0; and whether there are any.

    The first present value is taken off beforehand, so that equal values leave exactly nothing.
    """
    weights = tf.cast(present, tf.float64)
    count = tf.reduce_sum(weights, axis=1, keepdims=True)
    places = tf.argmax(weights, axis=1)[..., None]
    first = tf.transpose(tf.gather(tf.transpose(values, [0, 2, 1]), places, batch_dims=2), [0, 2, 1])
    rest = (values - first) * weights
    mean = tf.math.divide_no_nan(tf.reduce_sum(rest, axis=1, keepdims=True), count)
    squares = tf.reduce_sum(tf.square(rest - mean) * weights, axis=1, keepdims=True)
    deviation = tf.sqrt(tf.math.divide_no_nan(squares, count))
    largest = tf.reduce_max(tf.abs(values) * weights, axis=1, keepdims=True)
    deviation = tf.where(deviation > ROUNDING * largest, deviation, tf.zeros_like(deviation))
    return first + mean, deviation, count > 0
