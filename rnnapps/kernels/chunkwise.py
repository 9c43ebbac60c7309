"""A matrix memory over a whole sequence, by chunks: inside a chunk all steps at once, from chunk to chunk a scan.

The chunkwise form of linear attention (Hua et al. 2022, arXiv:2202.10447; Yang et al. 2024, arXiv:2312.06635, section
3) and of the delta rule (Yang et al. 2024, arXiv:2406.06484; arXiv:2412.06464, section 3.3). `matrix_step` says what
is computed. With g_i the sum of the logarithms of the decays from the begin of the chunk up to step i, S the memory
before the chunk, and A[i, j] = sum over rows d of x_i[d] y_j[d] exp(g_i[d] - g_j[d]) written as A(x, y):

    W   = V                                       (I + tril(b A(K, K), -1)) W = b (V - (exp(g) K) S)  (delta rule)
    Y   = (exp(g) Q) S + tril(A(Q, K)) W          what is read
    S'  = exp(g_C) S + (exp(g_C - g) K)' W        the memory after it

By the generalised delta rule R are the removal keys, E the rates times R, and B(x, y) is A(x, y) with g_{i-1} for g_i,
0 where j is not before i:

    (I + B(R, E)) U = B(R, K) V + (exp(g - log a) R) S                              what is removed
    Y   = (exp(g) Q) S + tril(A(Q, K)) V - tril(A(Q, E)) U
    S'  = exp(g_C) S + (exp(g_C - g) K)' V - (exp(g_C - g) E)' U

W = X - Z S and U = X + Z S are linear in S: from chunk to chunk only S' = M S + N is left, everything else is products
over all chunks at once. For the gradient nothing but the inputs is kept: the backward pass computes the rest again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import tensorflow as tf

from rnnapps.kernels.chunks import chunk_width, inside_chunks, read_chunks, scale_chunks
from rnnapps.kernels.matrix_step import CLOSED, MatrixInputs, is_given, widened
from rnnapps.kernels.pullback import pullback
from rnnapps.kernels.sealed import Sealed
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["MatrixCell", "scan"]


Run = Callable[[MatrixInputs, Tensors], Tensors]


class MatrixCell(Protocol):
    """What this kernel needs of a cell; `rnnapps.cells.MatrixLinearCell` says what each part means."""

    least_log_decay: float | None

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """The output `(..., units)` of what is read of the memory `(..., heads, value_size)`."""


def scan(
    cell: MatrixCell,
    projected: MatrixInputs,
    states: Sequence[Tensor],
    *,
    mask: Tensor | None = None,
    reverse: bool = False,
    time_major: bool = False,
    compiled: bool = False,
) -> tuple[Tensor, Tensors]:
    """Runs a cell with a matrix memory over a whole sequence.

    Args:
        cell: a `rnnapps.cells.MatrixLinearCell`.
        projected: what `cell.project` made of the whole sequence, each `(batch, time, ...)`.
        states: initial states: the output `(batch, units)`, the memory `(batch, heads, key_size, value_size)`, and
            with exponential input gates the logarithm of its scale `(batch, heads)`.
        mask: bool `(batch, time)`, True where a step is valid; a masked step carries the states through.
        reverse: run from the last step to the first; outputs keep the order of the inputs.
        time_major: sequences, mask and outputs are `(time, batch, ...)`; spares the transpositions.
        compiled: make it XLA programs of its own (needs static shapes). TensorFlow's own products use all cores, XLA's
            use one: for batches of more than a few rows it gains nothing.

    Returns:
        Outputs `(batch, time, units)` and the final states.
    """
    if not time_major:
        projected = tf.nest.map_structure(_swapped, projected)
        mask = None if mask is None else tf.transpose(mask)
    first, *memory = states
    inputs = widened(projected._replace(rest=()))
    if mask is not None:
        inputs = _masked(inputs, mask)
    whole = partial(_whole, reverse=reverse, least=cell.least_log_decay)
    run = _differentiable(whole, compiled=compiled)
    read, *final = run(inputs, [tf.cast(state, inputs.q.dtype) for state in memory])
    scales = final.pop(0) if len(memory) > 1 else ()
    outputs = tf.cast(cell.read(read, projected, scales), first.dtype)
    outputs, last = _carried(outputs, first, mask, reverse=reverse)
    new = [last, *(tf.cast(state, first.dtype) for state in final)]
    return (outputs if time_major else _swapped(outputs)), new


def _differentiable(whole: Run, *, compiled: bool) -> Run:
    """The function with a gradient that keeps only its arguments and computes the rest again."""

    def pulled_back(inputs: MatrixInputs, states: Tensors, d_results: Tensors) -> Tensors:
        def of_flat(flat: Tensors) -> Tensors:
            return whole(*tf.nest.pack_sequence_as((inputs, states), flat))

        return pullback(of_flat, tf.nest.flatten((inputs, states)), d_results)

    forward, backward = Sealed(whole, compiled=compiled), Sealed(pulled_back, compiled=compiled)

    def run(inputs: MatrixInputs, states: Tensors) -> Tensors:
        @tf.custom_gradient
        def differentiable(*flat: Tensor) -> tuple[Tensors, Callable[..., Tensors]]:
            parts = tf.nest.pack_sequence_as((inputs, states), flat)
            return forward(*parts), lambda *d_results: backward(*parts, list(d_results))

        return list(differentiable(*tf.nest.flatten((inputs, states))))

    return run


def _whole(inputs: MatrixInputs, states: Tensors, *, reverse: bool, least: float | None) -> Tensors:
    """What is read `(time, batch, heads, value_size)` and, with input gates, m after each step; the final states."""
    width, bounded = chunk_width(inputs, least)
    cut, join = inside_chunks(inputs, width, reverse=reverse)
    if len(states) == 1:
        values, memory = read_chunks(cut, states[0], bounded=bounded)
        return [join(values), memory]
    cut, scales = scale_chunks(cut, states[1])
    values, memory = read_chunks(cut, states[0])
    return [join(values), join(scales[..., None])[..., 0], memory, scales[-1, ..., -1]]


def _masked(inputs: MatrixInputs, mask: Tensor) -> MatrixInputs:
    """Inputs that leave the memory as it is where the mask `(time, batch)` is False."""

    def only(tensor: Nest, otherwise: float) -> Nest:
        if not is_given(tensor):
            return tensor
        valid = mask[..., None] if tensor.shape.rank == 3 else mask[..., None, None]
        return tf.where(valid, tensor, tf.constant(otherwise, tensor.dtype))

    return inputs._replace(
        k=only(inputs.k, 0.0),
        log_decay=only(inputs.log_decay, 0.0),
        beta=only(inputs.beta, 0.0),
        log_input=only(inputs.log_input, CLOSED),
        removal=only(inputs.removal, 0.0),
    )


def _carried(outputs: Tensor, first: Tensor, mask: Tensor | None, *, reverse: bool) -> tuple[Tensor, Tensor]:
    """The outputs `(time, batch, units)`, masked ones replaced by the one before, and the final one.

    Args:
        outputs: of all steps.
        first: the output before the first step `(batch, units)`.
        mask: bool `(time, batch)`, or None.
        reverse: whether the last step was run first.
    """
    if mask is not None:
        outputs, mask = _turned(outputs, reverse), tf.cast(_turned(mask, reverse), tf.int32)
        # Of as many valid steps as there were up to a step, the last is the first with that number.
        counts = tf.transpose(tf.cumsum(mask, axis=0))
        last = tf.where(counts > 0, tf.searchsorted(counts, counts) + 1, 0)
        steps, rows = tf.shape(counts)[1], tf.shape(counts)[0]
        before = tf.reshape(tf.concat([first[None], outputs], axis=0), [(steps + 1) * rows, first.shape[-1]])
        carried = tf.gather(before, tf.transpose(last) * rows + tf.range(rows))
        outputs = _turned(tf.ensure_shape(carried, outputs.shape), reverse)
    ends = [outputs[:1], first[None]] if reverse else [first[None], outputs[-1:]]
    return outputs, tf.concat(ends, axis=0)[0 if reverse else -1]


def _turned(sequence: Tensor, reverse: bool) -> Tensor:
    """A sequence in running order, or in its own again."""
    return tf.reverse(sequence, axis=[0]) if reverse else sequence


def _swapped(tensor: Tensor) -> Tensor:
    """`(batch, time, ...)` <-> `(time, batch, ...)`."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])
