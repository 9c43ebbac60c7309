"""Attention: weighted means of a memory, one for each query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.types import Tensor

__all__ = ["Attention"]

IMPOSSIBLE = -1e9
"""Score of a place behind a row's end; finite in every number format."""


@keras.saving.register_keras_serializable(package="rnnapps")
class Attention(keras.layers.Layer):
    """Attention over a memory of which each row has its own length.

    - "multiplicative": score = query · (W memory) / sqrt(units of the query); the "general" score of Luong et al. 2015
      (arXiv:1508.04025, section 3.1), scaled as in arXiv:1706.03762, section 3.2.1.
    - "additive": score = v · tanh(W memory + U query + b), Bahdanau et al. 2015 (arXiv:1409.0473, appendix A.1.2).

    What depends on the memory only is computed once, by `keys`.

    Args:
        kind: "multiplicative" or "additive".
        units: size of the additive score's hidden layer; the query's size by default.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: unknown kind.
    """

    def __init__(
        self, kind: Literal["multiplicative", "additive"] = "multiplicative", *, units: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if kind not in ("multiplicative", "additive"):
            raise ConfigError(f"attention: expected multiplicative or additive, got {kind!r}")
        self.kind, self.units = kind, units
        self.supports_masking = True

    def build(self, queries_shape: Sequence[int | None], memory_shape: Sequence[int | None]) -> None:
        """Makes the weights for queries `(batch, time, query size)` and a memory `(batch, places, memory size)`."""
        size, depth = int(queries_shape[-1] or 0), int(memory_shape[-1] or 0)
        width = size if self.kind == "multiplicative" else self.units or size
        self.memory_kernel = self.add_weight(name="memory_kernel", shape=(depth, width), initializer="glorot_uniform")
        if self.kind == "additive":
            self.query_kernel = self.add_weight(name="query_kernel", shape=(size, width), initializer="glorot_uniform")
            self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
            self.score = self.add_weight(name="score", shape=(width, 1), initializer="glorot_uniform")
        self.built = True

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are compared with: maps the memory `(batch, places, size)` to `(batch, places, width)`."""
        return tf.matmul(memory, tf.cast(self.memory_kernel, memory.dtype))

    def call(
        self, queries: Tensor, memory: Tensor, keys: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Attends.

        Args:
            queries: `(batch, time, query size)`.
            memory: `(batch, places, memory size)`.
            keys: what `keys` returned for this memory; computed where None.
            mask: bool `(batch, places)`, True where the memory is valid; all of it where None.

        Returns:
            Contexts `(batch, time, memory size)` and weights `(batch, time, places)`, float32, zero behind a row's end.
        """
        keys = self.keys(memory) if keys is None else keys
        scores = tf.cast(self._scores(queries, keys), tf.float32)
        if mask is not None:
            scores = tf.where(mask[:, None, :], scores, IMPOSSIBLE)
        weights = tf.nn.softmax(scores)
        if mask is not None:
            weights *= tf.cast(mask[:, None, :], tf.float32)
        return tf.matmul(tf.cast(weights, memory.dtype), memory), weights

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Each query compared with each key: `(batch, time, places)`."""
        if self.kind == "multiplicative":
            return tf.matmul(queries, keys, transpose_b=True) * float(queries.shape[-1]) ** -0.5
        # (batch, time, 1, width) + (batch, 1, places, width): every query beside every place.
        asked = tf.matmul(queries, tf.cast(self.query_kernel, queries.dtype)) + tf.cast(self.bias, queries.dtype)
        hidden = tf.tanh(asked[:, :, None, :] + keys[:, None, :, :])
        return tf.tensordot(hidden, tf.cast(self.score, hidden.dtype), 1)[..., 0]

    def compute_output_shape(
        self, queries_shape: Sequence[int | None], memory_shape: Sequence[int | None], *_: object
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Shapes of contexts and weights."""
        return (*queries_shape[:2], memory_shape[-1]), (*queries_shape[:2], memory_shape[1])

    def compute_mask(self, queries: Tensor, previous_mask: object) -> tuple[None, None]:
        """None: the lengths of targets are the loss's concern."""
        return None, None

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "kind": self.kind, "units": self.units}
