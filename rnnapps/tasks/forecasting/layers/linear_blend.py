"""A network's forecast mixed with one that is linear in the history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["LinearBlend", "linear_forecast"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LinearBlend(keras.layers.Layer):
    """Mixes the mean of a network with linear forecasts, by shares for each step of the horizon.

        mean = shares[0] * network + sum_k shares[k] * linear_k,    the shares of a step add up to 1

    Last value, last season, mean season, drift and ridge regression are all linear in a history whose gaps are filled,
    see `linear_forecast`; so their sum is one kernel and one bias, in which the shares are contained. Quantiles move
    with the mean. In training the network stands alone, and at first it does so in use too.

    Args:
        parts: number of forecasts that are mixed, the network's among them.
        least: means never go below this; for counts.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Attributes:
        shares: float32 `(parts, horizon)`, the network's first.
    """

    def __init__(self, parts: int, *, least: float = -math.inf, **kwargs: Any) -> None:
        kwargs.pop("trainable", None)
        super().__init__(trainable=False, **kwargs)
        self.parts, self.least = parts, least

    def build(
        self,
        mean_shape: Sequence[int | None],
        quantiles_shape: object = None,
        history_shape: Sequence[int | None] = (),
        present_shape: object = None,
    ) -> None:
        """Makes the shares, all of them the network's at first, and the linear map, which is nothing."""
        horizon, history = mean_shape[1], history_shape[1]
        sizes = {"shares": (self.parts, horizon), "kernel": (history, horizon), "bias": (horizon,)}
        makers = {"shares": _network_alone, "kernel": "zeros", "bias": "zeros"}
        self.shares, self.kernel, self.bias = (
            self.add_weight(name=name, shape=sizes[name], initializer=maker, trainable=False, dtype="float32")
            for name, maker in makers.items()
        )

    def reset(self) -> None:
        """Lets the network stand alone again."""
        self.shares.assign(_network_alone(self.shares.shape))
        for weight in (self.kernel, self.bias):
            weight.assign(tf.zeros(weight.shape))

    def call(
        self, mean: Tensor, quantiles: Tensor, history: Tensor, *, present: Tensor, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Mixes.

        Args:
            mean: the network's `(batch, horizon, channels)`.
            quantiles: the network's `(batch, horizon, channels, quantiles)`.
            history: `(batch, history, channels)` in the same units, 0 where missing.
            present: 1 where there is a value, else 0, of that shape.
            training: leave the network alone.

        Returns:
            Mean and quantiles.
        """
        if training:
            return mean, quantiles
        own, kernel, bias = (tf.convert_to_tensor(weight) for weight in (self.shares, self.kernel, self.bias))
        share = own[0][None, :, None]
        mixed = share * mean + linear_forecast(history, present, kernel, bias, whole=1 - own[0])
        mixed = mixed if math.isinf(self.least) else tf.maximum(mixed, tf.cast(self.least, mixed.dtype))
        return mixed, quantiles + (mixed - mean)[..., None]

    def compute_output_shape(
        self,
        mean_shape: Sequence[int | None],
        quantiles_shape: Sequence[int | None] = (),
        history_shape: object = None,
        present_shape: object = None,
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Shapes of what `call` returns."""
        return tuple(mean_shape), tuple(quantiles_shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        config.pop("trainable", None)
        return config | {"parts": self.parts, "least": self.least}


def linear_forecast(history: Tensor, present: Tensor, kernel: Tensor, bias: Tensor, *, whole: Tensor) -> Tensor:
    """A forecast that is linear in the history of each channel: whole * last + kernel . (history - last) + bias * unit.

    Gaps are filled with the value before them, and before the first value with the last one. The unit is the deviation
    of the window, or 1 where it does not vary.

    Args:
        history: `(batch, history, channels)`, 0 where missing.
        present: 1 where there is a value, else 0, of that shape.
        kernel: `(history, horizon)`.
        bias: `(horizon,)`.
        whole: `(horizon,)`, share of the forecast in a sum of them that is 1.

    Returns:
        `(batch, horizon, channels)`.
    """
    filled = _filled_forward(history, present)
    last = filled[:, -1:]
    # Of numbers that differ from the last one only: in windows that do not vary, nothing but the bias is added.
    ahead = tf.transpose(tf.tensordot(tf.transpose(filled - last, [0, 2, 1]), kernel, 1), [0, 2, 1])
    return whole[None, :, None] * last + ahead + bias[None, :, None] * _unit(history, present)


def _filled_forward(values: Tensor, present: Tensor) -> Tensor:
    """Gaps filled with the value before them, and before the first value with the last one.

    Values are handed on by one step, then by two, by four...: what is handed on has then come from ever further back.
    """
    steps, distance = values.shape[1], 1
    while distance < steps:
        before = [[0, 0], [distance, 0], [0, 0]]
        values += (1 - present) * tf.pad(values[:, :-distance], before)
        present += (1 - present) * tf.pad(present[:, :-distance], before)
        distance *= 2
    return values + (1 - present) * values[:, -1:]


def _unit(values: Tensor, present: Tensor) -> Tensor:
    """The deviation of the present values `(batch, 1, channels)`, 1 where they do not vary."""
    count = tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1.0)
    mean = tf.reduce_sum(values * present, axis=1, keepdims=True) / count
    variance = tf.reduce_sum(tf.square(values - mean) * present, axis=1, keepdims=True) / count
    return tf.sqrt(tf.where(variance > 0, variance, tf.ones_like(variance)))


def _network_alone(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """All for the first part."""
    return keras.ops.concatenate(
        [keras.ops.ones((1, shape[1]), dtype), keras.ops.zeros((shape[0] - 1, shape[1]), dtype)], 0
    )
