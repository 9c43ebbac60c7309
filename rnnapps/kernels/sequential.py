"""Backpropagation through time for any three-part cell, written once.

The forward loop does one matrix product a step and keeps the states and the recurrent pre-activations. The backward
loop runs the vector-Jacobian products of `update` and `recur` with respect to their inputs and to the vectors among
the weights of `update`. The gradients of all matrices are computed after the loop, by one large product over all time
steps (Appleyard et al. 2016, arXiv:1604.01946, section 3.3, do so for the recurrent weights).

With `recompute_every=k` the sequence is cut into segments of k steps: only the states between segments are kept, and
the backward pass runs each segment forward again (Chen et al. 2016, arXiv:1604.06174).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from rnnapps.kernels.choice import shards_for
from rnnapps.kernels.passes import Passes
from rnnapps.kernels.recompute import RecomputingPasses
from rnnapps.kernels.step import Step

__all__ = ["scan"]


def scan(
    cell: Any,
    projected: Any,
    states: Sequence[Any],
    *,
    mask: Any = None,
    reverse: bool = False,
    time_major: bool = False,
    training: bool = True,
    recompute_every: int = 0,
    compiled: bool = False,
) -> tuple[Any, list[Any]]:
    """Runs a cell over a whole sequence.

    Args:
        cell: a `rnnapps.cells.Cell` whose weights are built.
        projected: what `cell.project` made of the whole sequence, `(batch, time, any)` or a tuple of such.
        states: initial states, each `(batch, size)`.
        mask: bool `(batch, time)`, True where a step is valid; a masked step carries the states through.
        reverse: run from the last step to the first; outputs keep the order of the inputs.
        time_major: sequences, mask and outputs are `(time, batch, any)`; spares the transpositions.
        training: keep what a gradient needs. Without, it is computed only where a gradient is asked for after all.
        recompute_every: 0 keeps all states for the backward pass; k keeps every k-th and recomputes the others.
        compiled: make the loops XLA programs of their own, one for each part of the batch (needs static shapes).

    Returns:
        Outputs `(batch, time, output_size)` and the final states, each `(batch, size)`.
    """
    if not time_major:
        projected = tf.nest.map_structure(_swap_batch_and_time, projected)
        mask = None if mask is None else tf.transpose(mask)
    shards = shards_for(states[0].shape[0], cell) if compiled else 1
    parts = [tf.split(tensor, shards, axis=1) for tensor in tf.nest.flatten(projected)]
    starts = [tf.split(state, shards, axis=0) for state in states]
    masks = [None] * shards if mask is None else tf.split(mask, shards, axis=1)
    results = []
    for shard in range(shards):
        xs = tf.nest.pack_sequence_as(projected, [part[shard] for part in parts])
        passes: Any = Passes(Step(cell, xs), reverse=reverse, compiled=compiled)
        start = [start[shard] for start in starts]
        results.append(_differentiable(passes, cell, xs, masks[shard], start, training, recompute_every))
    outputs = tf.concat([result[0] for result in results], axis=1)
    final = [tf.concat(states, axis=0) for states in zip(*(result[1] for result in results), strict=True)]
    return (outputs if time_major else _swap_batch_and_time(outputs)), final


def _differentiable(
    passes: Passes, cell: Any, projected: Any, mask: Any, states: Sequence[Any], training: bool, recompute_every: int
) -> tuple[Any, list[Any]]:
    """Joins the forward pass with its gradient."""
    parts = [tf.nest.flatten(projected), list(states), [weight.value for weight in cell.weights]]
    parts = tf.nest.map_structure(tf.convert_to_tensor, parts)
    keeping: Any = RecomputingPasses(passes, recompute_every) if recompute_every else passes

    @tf.custom_gradient
    def run(*tensors: Any) -> Any:
        xs, start, weights = tf.nest.pack_sequence_as(parts, tensors)
        if training:
            outputs, final, saved = keeping.forward(xs, mask, start, weights)
        else:
            outputs, final = passes.outputs(xs, mask, start, weights)

        def gradient(d_outputs: Any, *d_final: Any) -> list[Any]:
            kept = saved if training else keeping.forward(xs, mask, start, weights)[2]
            gradients = keeping.backward(xs, mask, start, weights, kept, d_outputs, list(d_final))
            return list(tf.nest.flatten(gradients))

        return (outputs, *final), gradient

    outputs, *final = run(*tf.nest.flatten(parts))
    return outputs, final


def _swap_batch_and_time(tensor: Any) -> Any:
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])
