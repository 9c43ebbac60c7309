"""Which steps of padded sequences are valid."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["SequenceMask"]


@keras.saving.register_keras_serializable(package="rnnapps")
class SequenceMask(keras.layers.Layer):
    """The mask of sequences that are padded behind their ends, from the length of each.

    A functional network takes sequences and their lengths as inputs and hands this mask to its recurrent layers and
    poolings, so that what a batching server pads, or any other row's length, cannot change an answer: `rnnapps verify`
    tries just that. The layer has no weights.

    True stands for a valid step: mask[row, t] = t < lengths[row].
    """

    def call(self, sequences: Tensor, lengths: Tensor) -> Tensor:
        """Makes the mask.

        Args:
            sequences: `(batch, time, ...)` of any type; only its number of steps matters.
            lengths: whole numbers `(batch,)`, the valid steps of each row; 0 makes a row without a valid step.

        Returns:
            Bool `(batch, time)`, True before a row's end and False behind it.
        """
        time = tf.shape(sequences)[1] if sequences.shape[1] is None else sequences.shape[1]
        return tf.sequence_mask(lengths, time)

    def compute_output_shape(
        self, sequences_shape: Sequence[int | None], lengths_shape: Sequence[int | None]
    ) -> tuple[int | None, ...]:
        """The first two dimensions of the sequences."""
        return tuple(sequences_shape[:2])

    def compute_output_spec(self, sequences: keras.KerasTensor, lengths: keras.KerasTensor) -> keras.KerasTensor:
        """Bool, in whatever type the network computes."""
        return keras.KerasTensor(self.compute_output_shape(sequences.shape, lengths.shape), "bool")
