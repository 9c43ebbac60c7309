"""Channels as rows of their own: one network for all channels, each read by itself."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["ChannelVector", "FoldChannels", "Segments", "UnfoldChannels"]


@keras.saving.register_keras_serializable(package="rnnapps")
class FoldChannels(keras.layers.Layer):
    """`(batch, time, channels, features)` -> `(batch x channels, time, features)`."""

    def call(self, inputs: Tensor) -> Tensor:
        """Folds."""
        batch, time, channels, features = inputs.shape
        rows = -1 if batch is None else batch * channels
        # Channels move beside the batch before both become rows: row b * channels + c is channel c of window b.
        return tf.reshape(tf.transpose(inputs, [0, 2, 1, 3]), [rows, time, features])

    def compute_output_shape(self, input_shape: tuple[int | None, int, int, int]) -> tuple[int | None, int, int]:
        """The folded shape."""
        batch, time, channels, features = input_shape
        return (None if batch is None else batch * channels, time, features)


@keras.saving.register_keras_serializable(package="rnnapps")
class UnfoldChannels(keras.layers.Layer):
    """`(batch x channels, time, features)` -> `(batch, time, channels, features)`.

    Args:
        channels: number of channels.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channels

    def call(self, inputs: Tensor) -> Tensor:
        """Unfolds."""
        rows, time, features = inputs.shape
        batch = -1 if rows is None else rows // self.channels
        # (batch, channels, time, features) first, the order in which the rows lie in memory.
        return tf.transpose(tf.reshape(inputs, [batch, self.channels, time, features]), [0, 2, 1, 3])

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int, int]:
        """The unfolded shape."""
        rows, time, features = input_shape
        return (None if rows is None else rows // self.channels, time, self.channels, features)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"channels": self.channels}


@keras.saving.register_keras_serializable(package="rnnapps")
class Segments(keras.layers.Layer):
    """`(rows, time, features)` -> `(rows, time / steps, steps x features)`.

    Args:
        steps: time steps of a segment, a divisor of the time.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, inputs: Tensor) -> Tensor:
        """Cuts."""
        rows, time, features = inputs.shape
        # Neighbours in time and their features lie side by side already: no value moves.
        return tf.reshape(inputs, [-1 if rows is None else rows, time // self.steps, self.steps * features])

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int]:
        """The shape of the segments."""
        rows, time, features = input_shape
        return (rows, time // self.steps, self.steps * features)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"steps": self.steps}


@keras.saving.register_keras_serializable(package="rnnapps")
class ChannelVector(keras.layers.Layer):
    """Adds a learned vector of its channel to each row of `(batch x channels, time, units)`; it starts as zero.

    Args:
        channels: number of channels.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channels

    def build(self, input_shape: tuple[int | None, int, int]) -> None:
        """Makes the vectors."""
        self.vectors = self.add_weight(name="vectors", shape=(self.channels, input_shape[-1]), initializer="zeros")

    def call(self, inputs: Tensor) -> Tensor:
        """Adds."""
        rows, time, units = inputs.shape
        batch = -1 if rows is None else rows // self.channels
        apart = tf.reshape(inputs, [batch, self.channels, time, units])
        vectors = tf.convert_to_tensor(self.vectors)[None, :, None, :]  # (1, channels, 1, units)
        return tf.reshape(apart + tf.cast(vectors, inputs.dtype), [-1 if rows is None else rows, time, units])

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int]:
        """The shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"channels": self.channels}
