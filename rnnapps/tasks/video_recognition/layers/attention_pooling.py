"""A weighted mean over time whose weights are learned, for whole sequences and step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.kernels.loop import length, loop
from rnnapps.layers.dense import Dense
from rnnapps.types import Tensor, Tensors

__all__ = ["AttentionPooling"]

LOWEST = -1e30


@keras.saving.register_keras_serializable(package="rnnapps")
class AttentionPooling(keras.layers.Layer):
    """Sum over time of softmax(v . tanh(W x_t + b)) x_t (Yang et al. 2016, "Hierarchical attention networks", eq. 5-7).

    Since a softmax is a ratio of sums, the mean over the steps so far needs three numbers a row to go on from: the
    largest score, and both sums relative to it. `go_on` has them as states, zeros before the first step.

    Args:
        units: size of the hidden layer.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.supports_masking = units, True
        self.hidden = Dense(units, activation="tanh", name="hidden", dtype=self.dtype_policy)
        self.score = Dense(1, use_bias=False, name="score", dtype=self.dtype_policy)

    def build(self, sequences_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(batch, time, features)`."""
        self.hidden.build((*sequences_shape[:-1], sequences_shape[-1]))
        self.score.build((*sequences_shape[:-1], self.units))

    def call(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """Maps `(batch, time, features)` to `(batch, features)`; steps with mask False, `(batch, time)`, do not count.

        A row without valid steps gives zeros.
        """
        scores = tf.cast(self.score(self.hidden(sequences)), tf.float32)
        if mask is None:
            weights = tf.nn.softmax(scores, axis=1)
        else:
            valid = tf.cast(mask, tf.bool)[..., None]
            weights = tf.nn.softmax(tf.where(valid, scores, LOWEST), axis=1) * tf.cast(valid, tf.float32)
            sequences = tf.where(valid, sequences, tf.zeros_like(sequences))
        return tf.reduce_sum(tf.cast(weights, sequences.dtype) * sequences, axis=1)

    def state_sizes(self, features: int) -> list[int]:
        """Sizes of the states of `go_on`: largest score, weighted sum, sum of the weights."""
        return [1, features, 1]

    def go_on(self, sequences: Tensor, mask: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
        """More steps of sequences: the mean so far at each of them.

        Args:
            sequences: the next steps `(batch, time, features)`.
            mask: bool `(batch, time)`, True where a step counts; the others leave the states as they are.
            states: what came before.

        Returns:
            The means `(batch, time, features)`, and the new states.
        """
        scores = tf.cast(self.score(self.hidden(sequences)), tf.float32)
        reads = [tf.transpose(part, [1, 0, 2]) for part in (scores, tf.cast(sequences, tf.float32), mask[..., None])]
        mean = tf.TensorSpec((None, sequences.shape[-1]), tf.float32)
        final, _, (means,) = loop(_one_more, length(reads[0]), list(states), reads, backwards=False, yields=[mean])
        return tf.cast(tf.transpose(means, [1, 0, 2]), sequences.dtype), final

    def compute_output_shape(
        self, sequences_shape: Sequence[int | None], mask_shape: object = None
    ) -> tuple[int | None, ...]:
        """The shape of the inputs without time."""
        return (sequences_shape[0], sequences_shape[-1])

    def compute_mask(self, sequences: Tensor, previous_mask: object = None) -> None:
        """Time is gone, and the mask with it."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"units": self.units}


def _one_more(_: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
    """One step of `AttentionPooling.go_on`: `now` is its score, its inputs, and whether it counts."""
    (largest, weighted, total), (score, inputs, counts) = states, now
    # The largest score so far stays at exp(0): both sums are rescaled when a larger one comes, and none overflows.
    level = tf.where(total > 0, tf.maximum(largest, score), score)
    before, weight = tf.where(total > 0, tf.exp(largest - level), 0.0), tf.exp(score - level)
    after = [level, weighted * before + weight * inputs, total * before + weight]
    return [tf.where(counts, new, old) for new, old in zip(after, states, strict=True)], [after[1] / after[2]]
