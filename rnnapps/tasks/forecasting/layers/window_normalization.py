"""Each window in units of its own, so that a shift of level or size between training and use does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.types import Tensor

__all__ = ["MODES", "WindowNormalization"]

MODES = ("instance", "difference", "none")


@keras.saving.register_keras_serializable(package="rnnapps")
class WindowNormalization(keras.layers.Layer):
    """Normalises the history of each window and channel, and says how to undo it.

    The values come in units that suit them, mostly those of the window itself, see `window_units`. A window without
    deviation keeps these units.

    - "instance": (x - mean) / deviation over the present values of the window, then a learned gain and offset for each
      channel (reversible instance normalisation, Kim et al. 2022, "Reversible Instance Normalization for Accurate
      Time-Series Forecasting against Distribution Shift", equations 2 to 4; the gain is the exponential of a weight, so
      that it never changes sign).
    - "difference": the changes from row to row, in units of their own deviation; forecasts are changes since the last
      present value, in units of the window's deviation.
    - "none": as it is.

    Args:
        mode: one of the above.
        floor: added to the variance, in squared units of the input; for counts, which are uncertain by one.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: there is no such mode.
    """

    def __init__(self, mode: str = "instance", *, floor: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ConfigError(f"WindowNormalization: expected one of {', '.join(MODES)}, got {mode!r}")
        self.mode, self.floor = mode, floor

    def build(self, values_shape: Sequence[int | None], present_shape: object = None) -> None:
        """Makes gain and offset of each channel."""
        if self.mode == "instance":
            size = (values_shape[-1],)
            self.log_gain = self.add_weight(name="log_gain", shape=size, initializer="zeros")
            self.offset = self.add_weight(name="offset", shape=size, initializer="zeros")

    def call(self, values: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalises.

        Args:
            values: `(batch, history, channels)`, 0 where missing.
            present: `(batch, history, channels)`, 1 where present, 0 where missing.

        Returns:
            Normalised values, 0 where missing; centre and spread `(batch, 1, channels)`: a forecast of the network f
            means centre + spread * f.
        """
        count = tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1.0)
        mean = tf.reduce_sum(values * present, axis=1, keepdims=True) / count
        squares = tf.reduce_sum(tf.square(values - mean) * present, axis=1, keepdims=True)
        spread = _deviation(squares / count + self.floor)
        if self.mode == "none":
            return values, tf.zeros_like(mean), tf.ones_like(mean)
        if self.mode == "difference":
            return self._changes(values, present, spread)
        # A forecast f of the normal values means mean + spread * (f - offset) / gain, hence centre and spread.
        gain, offset = tf.exp(tf.convert_to_tensor(self.log_gain)), tf.convert_to_tensor(self.offset)
        normal = ((values - mean) / spread * gain + offset) * present
        return normal, mean - spread * offset / gain, spread / gain

    def _changes(self, values: Tensor, present: Tensor, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Changes from row to row where both are present, the last present value, and the spread."""
        steps = tf.cast(tf.range(1, tf.shape(values)[1] + 1), values.dtype)[None, :, None]
        # The last present row of each channel as a mask (batch, history, channels): steps count up, the missing are 0.
        latest = tf.one_hot(tf.argmax(steps * present, axis=1), tf.shape(values)[1], axis=1, dtype=values.dtype)
        last = tf.reduce_sum(latest * values, axis=1, keepdims=True)
        both = present[:, 1:] * present[:, :-1]
        changes = tf.pad((values[:, 1:] - values[:, :-1]) * both, [[0, 0], [1, 0], [0, 0]])
        count = tf.maximum(tf.reduce_sum(both, axis=1, keepdims=True), 1.0)
        size = _deviation(tf.reduce_sum(tf.square(changes), axis=1, keepdims=True) / count + self.floor)
        return changes / size, last, spread

    def compute_output_shape(
        self, values_shape: Sequence[int | None], present_shape: object = None
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...], tuple[int | None, ...]]:
        """Shapes of what `call` returns."""
        batch, _, channels = values_shape
        return tuple(values_shape), (batch, 1, channels), (batch, 1, channels)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"mode": self.mode, "floor": self.floor}


def _deviation(variance: Tensor) -> Tensor:
    """The root of a variance; 1 where nothing varies."""
    return tf.sqrt(tf.where(variance > 0, variance, tf.ones_like(variance)))
