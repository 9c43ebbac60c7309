"""What an encoder sees of a frame: its pixels, and how they differ from earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.tasks.video_recognition.layers.frame_encoder import encode
from rnnapps.types import Tensor, Tensors

__all__ = ["EveryFrame", "FrameDifferences"]

GAIN = 4.0
"""Differences of pixels are small next to pixels; this brings both to about the same size."""


@keras.saving.register_keras_serializable(package="rnnapps")
class FrameDifferences(keras.layers.Layer):
    """Each frame minus the frames some steps earlier, those of one step after those of the other as channels.

    Where there is no such earlier frame the difference is zero.

    Args:
        lags: numbers of steps.
        pixels: by what the pixels themselves are multiplied, which then come first; 0 to leave them out. (Joining them
            later would be another pass over all pictures.)
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, lags: Sequence[int], *, pixels: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lags, self.pixels = list(lags), pixels

    @property
    def memory(self) -> int:
        """How many earlier frames `go_on` needs."""
        return max(self.lags)

    def call(self, frames: Tensor) -> Tensor:
        """Maps uint8 `(batch, time, height, width, channels)` to floats with channels for each lag, and of pixels."""
        pixels = tf.cast(frames, self.compute_dtype)
        time = tf.shape(pixels)[1]
        differences = []
        for lag in self.lags:
            back = tf.minimum(lag, time)
            changes = pixels[:, back:] - pixels[:, : time - back]
            whole = tf.concat([tf.zeros_like(pixels[:, :back]), changes], axis=1)
            differences.append(tf.ensure_shape(whole, frames.shape))
        return self._joined(pixels, [difference * (GAIN / 255) for difference in differences])

    def _joined(self, pixels: Tensor, scaled: Tensors) -> Tensor:
        """Pixels, if they are asked for, in their units, and differences in theirs."""
        return tf.concat([pixels * self.pixels, *scaled] if self.pixels else scaled, axis=-1)

    def go_on(self, frames: Tensor, lengths: Tensor, *, recent: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """More frames of videos.

        Args:
            frames: uint8 `(batch, time, height, width, channels)`.
            lengths: int32 `(batch,)`, frames of each row that count.
            recent: the last `memory` frames, the oldest first, uint8 `(batch, memory, height, width, channels)`.
            seen: int32 `(batch,)`, frames before these.

        Returns:
            What `call` gives of them, and the new `recent`.
        """
        time, joined = tf.shape(frames)[1], tf.concat([recent, frames], axis=1)
        pixels, number, differences = tf.cast(joined, self.compute_dtype), seen[:, None] + tf.range(time), []
        for lag in self.lags:
            known = (number >= lag)[:, :, None, None, None]
            changes = pixels[:, self.memory :] - pixels[:, self.memory - lag : self.memory - lag + time]
            differences.append(tf.where(known, changes, tf.zeros_like(changes)))
        last = tf.gather(joined, lengths[:, None] + tf.range(self.memory), batch_dims=1)
        # Joined in two passes, which takes less memory where a step has thousands of frames.
        scaled = tf.concat(differences, axis=-1) * (GAIN / 255)
        return self._joined(pixels[:, self.memory :], [scaled]), last

    def compute_output_shape(self, frames_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the inputs, with channels for each lag, and of pixels."""
        return (*frames_shape[:-1], (frames_shape[-1] or 1) * (len(self.lags) + bool(self.pixels)))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"lags": self.lags, "pixels": self.pixels}


@keras.saving.register_keras_serializable(package="rnnapps")
class EveryFrame(keras.layers.Layer):
    """Applies a model to every frame, all frames of all rows as one batch.

    Args:
        model: maps `(batch, height, width, channels)` to `(batch, features)`.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, model: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.built = True

    def call(self, frames: Tensor, training: bool = False) -> Tensor:
        """Maps `(batch, time, height, width, channels)` to `(batch, time, features)`."""
        rows, time = (tf.shape(frames)[axis] if frames.shape[axis] is None else frames.shape[axis] for axis in (0, 1))
        each = tf.reshape(frames, (-1, *frames.shape[2:]))
        # The few pictures of a step are sooner read than kernels are multiplied.
        plain = training or frames.shape[1] == 1
        features = self.model(each, training=training) if plain else encode(self.model, each)
        return tf.reshape(features, (rows, time, features.shape[-1]))

    def compute_output_shape(self, frames_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """One vector a frame."""
        return (*frames_shape[:2], self.model.output.shape[-1])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"model": keras.saving.serialize_keras_object(self.model)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> EveryFrame:
        """Makes the layer from `get_config`."""
        return cls(**(config | {"model": keras.saving.deserialize_keras_object(config["model"])}))
