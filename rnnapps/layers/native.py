"""Whole recurrences as single operations, for formats that have one: ONNX's `LSTM` and `GRU`.

In a graph that is traced for such a format stands TensorFlow's `CudnnRNNV3`, which is never run: it holds what the
converter needs to write the format's own operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, Cell
from rnnapps.types import Tensor, Tensors

__all__ = ["MARKER", "has_native_form", "native_scan"]

MARKER = "CudnnRNNV3"
"""The operation that stands for a recurrence. Its `rnn_mode` says which one, its `seed` whether it runs backwards, its
`seed2` whether the reset gate acts behind the product; its parameters are kernel, recurrent kernel and biases."""


def has_native_form(cell: Cell) -> bool:
    """Whether a cell is one that formats know, with its usual activations."""
    if type(cell) not in (LSTM, GRU):
        return False
    usual = (keras.activations.tanh, keras.activations.sigmoid)
    return (cell.activation, cell.recurrent_activation) == usual


def native_scan(
    cell: Any, sequences: Tensor, states: Sequence[Tensor], mask: Tensor | None, *, reverse: bool
) -> tuple[Tensor, Tensors]:
    """Outputs `(batch, time, units)` and final states, as the other kernels give them.

    Args:
        cell: one that `has_native_form`.
        sequences: `(batch, time, features)`, of known sizes.
        states: before the first step, each `(batch, units)`.
        mask: bool `(batch, time)`, True in the first places of each row and nowhere else; None for all.
        reverse: from the last step to the first.
    """
    batch, time = sequences.shape[:2]
    valid = tf.fill([batch], time) if mask is None else tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    given = [state[None] for state in states]
    found = tf.raw_ops.CudnnRNNV3(
        input=tf.transpose(sequences, [1, 0, 2]),
        input_h=given[0],
        input_c=given[1] if len(given) > 1 else tf.zeros_like(given[0]),
        params=_parameters(cell),
        sequence_lengths=tf.maximum(valid, 1),  # formats know no empty sequences
        rnn_mode="lstm" if isinstance(cell, LSTM) else "gru",
        seed=int(reverse),
        seed2=int(getattr(cell, "reset_after", False)),
        is_training=False,
    )
    final = [part[0] for part in (found.output_h, found.output_c)[: len(states)]]
    final = [tf.where(valid[:, None] > 0, new, old) for new, old in zip(final, states, strict=True)]
    outputs = tf.transpose(tf.ensure_shape(found.output, (time, batch, cell.units)), [1, 0, 2])
    if mask is not None:  # a masked step hands on the state, which is that of the row's end, or of its beginning
        outputs = tf.where(mask[..., None], outputs, (states if reverse else final)[0][:, None])
    return outputs, final


def _parameters(cell: Any) -> Tensor:
    """Kernel `(features, gates)`, recurrent kernel, bias of the input side and of the recurrent one, flat."""
    bias = tf.zeros([cell.kernel.shape[1]]) if cell.bias is None else tf.convert_to_tensor(cell.bias)
    both = bias if bias.shape.rank == 2 else tf.stack([bias, tf.zeros_like(bias)])
    parts = (tf.convert_to_tensor(cell.kernel), tf.convert_to_tensor(cell.recurrent_kernel), both)
    return tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
