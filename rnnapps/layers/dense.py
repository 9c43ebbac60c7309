"""Keras's dense layers, quicker on rows of one place each, as a served step has them."""

from __future__ import annotations

import keras
import tensorflow as tf

from rnnapps.kernels.by_rows import become_rows, by_rows
from rnnapps.types import Tensor

__all__ = ["Dense", "DenseHeads"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Dense(keras.layers.Dense):
    """`keras.layers.Dense`, of the same weights."""

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Maps `(..., features)` to `(..., units)`."""
        return by_rows(super().call, inputs)


@keras.saving.register_keras_serializable(package="rnnapps")
class DenseHeads(keras.layers.EinsumDense):
    """`keras.layers.EinsumDense` of the last axis alone, of the same weights: one product for all rows."""

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Maps `(batch, time, features)` to `(batch, time, ...)`."""
        return by_rows(self._of_rows, inputs) if become_rows(inputs) else super().call(inputs)

    def _of_rows(self, rows: Tensor) -> Tensor:
        kernel = keras.ops.convert_to_tensor(self.kernel)
        heads = kernel.shape[1:]
        outputs = tf.reshape(keras.ops.matmul(rows, tf.reshape(kernel, [kernel.shape[0], -1])), [-1, *heads])
        return outputs if self.bias is None else keras.ops.add(outputs, self.bias)
