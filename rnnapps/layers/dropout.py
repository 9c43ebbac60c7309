"""Dropout at a price that training can pay on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.errors import ConfigError
from rnnapps.kernels.random_mask import random_mask
from rnnapps.types import Tensor

__all__ = ["Dropout", "dropout_of"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Dropout(keras.layers.Layer):
    """Sets random values to zero while training and scales the others up (Srivastava et al. 2014, section 4).

    Like `keras.layers.Dropout`, with random numbers that cost next to nothing in a program compiled for a CPU.

    Args:
        rate: share of values set to zero, 0 to below 1.
        locked: whether the values of a row's last axis are the same ones in all its steps, `(batch, time, features)`:
            variational dropout (Gal & Ghahramani 2016, arXiv:1512.05287).
        seed: seed of the random masks.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: the rate is out of range.
    """

    def __init__(self, rate: float, *, locked: bool = False, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ConfigError(f"dropout: expected a share from 0 to below 1, got {rate}")
        self.rate, self.locked, self.seed = rate, locked, seed
        self.seed_generator = keras.random.SeedGenerator(seed) if rate else None
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Maps inputs of any shape to the same shape."""
        if not training or self.seed_generator is None:
            return inputs
        shape = [tf.shape(inputs)[n] if size is None else size for n, size in enumerate(inputs.shape)]
        if self.locked:
            shape[1:-1] = [1] * len(shape[1:-1])
        keep = random_mask(shape, 1 - self.rate, self.seed_generator.next())
        return tf.where(keep, inputs / tf.cast(1 - self.rate, inputs.dtype), tf.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Sequence[int | None]:
        """The shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"rate": self.rate, "locked": self.locked, "seed": self.seed}


def dropout_of(config: RecurrentConfig, name: str | None = None) -> Dropout:
    """The dropout of a sequence `(batch, time, features)` that a configuration describes."""
    return Dropout(config.dropout, locked=config.locked_dropout, name=name)
