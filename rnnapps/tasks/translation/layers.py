"""The Keras layers of translation networks that no other network has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.types import Tensor, Tensors

__all__ = ["Bridge", "OwnChoices"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Bridge(keras.layers.Layer):
    """First states of a decoder: a tanh layer of an encoder's final states for each.

    States of several axes, the memories of matrix cells, are neither read nor set: a dense layer from or to them would
    outgrow the rest of the network. They start at zero.

    Args:
        sizes: sizes of the decoder's states, tuples for those of several axes.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, sizes: Sequence[int | Sequence[int]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sizes = [size if isinstance(size, int) else tuple(size) for size in sizes]
        self.parts = {
            f"state_{number}": keras.layers.Dense(
                size, activation="tanh", name=f"state_{number}", dtype=self.dtype_policy
            )
            for number, size in enumerate(self.sizes)
            if isinstance(size, int)
        }

    def build(self, states_shape: Sequence[Sequence[int]]) -> None:
        """Makes the weights for a list of states, `(batch, size)` or of more axes."""
        for part in self.parts.values():
            part.build((None, sum(shape[-1] for shape in states_shape if len(shape) == 2)))
        self.built = True

    def call(self, states: Sequence[Tensor]) -> Tensors:
        """Maps final states to first ones, each `(batch, size)` or of more axes."""
        joined = tf.concat([tf.cast(state, self.compute_dtype) for state in states if len(state.shape) == 2], axis=-1)
        rows = tf.shape(joined)[0]
        return [
            tf.zeros([rows, *size], self.compute_dtype)
            if isinstance(size, tuple)
            else self.parts[f"state_{number}"](joined)
            for number, size in enumerate(self.sizes)
        ]

    def compute_output_shape(self, states_shape: Sequence[Sequence[int | None]]) -> list[tuple[int | None, ...]]:
        """Shapes of the first states."""
        axes = [size if isinstance(size, tuple) else (size,) for size in self.sizes]
        return [(states_shape[0][0], *shape) for shape in axes]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "sizes": self.sizes}


@keras.saving.register_keras_serializable(package="rnnapps")
class OwnChoices(keras.layers.Layer):
    """Puts a network's own choices in the place of some of the tokens it reads.

    Scheduled sampling in two passes over whole sequences (Duckworth et al. 2019, arXiv:1906.04331), so that training
    stays parallel over time: the first pass reads true tokens, the second what is returned here.
    """

    def call(self, tokens: Tensor, logits: Tensor, use_own: Tensor) -> Tensor:
        """Maps tokens `(batch, time)`, logits of the token after each, and a bool mask to tokens of the same shape."""
        chosen = tf.argmax(tf.stop_gradient(logits), axis=-1, output_type=tokens.dtype)
        before = tf.concat([tokens[:, :1], chosen[:, :-1]], axis=1)
        return tf.where(use_own, before, tokens)

    def compute_output_spec(self, tokens: Tensor, logits: Tensor, use_own: Tensor) -> keras.KerasTensor:
        """The tokens' shape and type."""
        return keras.KerasTensor(tokens.shape, tokens.dtype)
