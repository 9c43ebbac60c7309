"""Dropout of whole tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.layers.variational import drawn_mask
from rnnapps.types import Tensor

__all__ = ["TokenDropout"]


@keras.saving.register_keras_serializable(package="rnnapps")
class TokenDropout(keras.layers.Layer):
    """Embedding dropout: while training, some tokens of the vocabulary are read as zeros wherever they stand.

    Merity et al. 2017 (arXiv:1708.02182), section 4.3, after Gal & Ghahramani 2016; the others are scaled up.

    Args:
        rate: share of the vocabulary, 0 to below 1.
        vocabulary_size: number of token ids.
        seed: seed of the random draws.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: the rate is out of range.
    """

    def __init__(self, rate: float, vocabulary_size: int, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ConfigError(f"embedding_dropout: expected a share from 0 to below 1, got {rate}")
        self.rate, self.vocabulary_size, self.seed = rate, vocabulary_size, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, vectors: Tensor, tokens: Tensor, training: bool = False) -> Tensor:
        """Maps the vectors `(batch, time, units)` of tokens int32 `(batch, time)` to the same shape."""
        if not training or not self.rate:
            return vectors
        kept = drawn_mask([self.vocabulary_size], self.rate, self.seed_generator, vectors.dtype, of_rows=False)
        return vectors * tf.gather(kept, tokens)[..., None]

    def compute_output_shape(
        self, vectors_shape: Sequence[int | None], tokens_shape: Sequence[int | None]
    ) -> Sequence[int | None]:
        """The shape of the vectors."""
        return vectors_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"rate": self.rate, "vocabulary_size": self.vocabulary_size, "seed": self.seed}
