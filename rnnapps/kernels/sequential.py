"""Backpropagation through time for any three-part cell, written once.

The forward loop does one matrix product a step and keeps the states and the recurrent pre-activations. The backward
loop runs the vector-Jacobian products of `update` and `recur` with respect to their inputs and to the vectors among
the weights of `update`. The gradients of all matrices are computed after the loop, by one large product over all time
steps (Appleyard et al. 2016, arXiv:1604.01946, section 3.3, do so for the recurrent weights).

With `recompute_every=k` the sequence is cut into segments of k steps: only the states between segments are kept, and
the backward pass runs each segment forward again (Chen et al. 2016, arXiv:1604.06174).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import tensorflow as tf

from rnnapps.kernels.choice import shards_for
from rnnapps.kernels.passes import Passes, PassInputs
from rnnapps.kernels.recompute import RecomputingPasses
from rnnapps.kernels.step import KernelCell, Step, numbers
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["scan"]


def scan(
    cell: KernelCell,
    projected: Nest,
    states: Sequence[Tensor],
    *,
    mask: Tensor | None = None,
    kept: Tensor | None = None,
    constants: tuple[Nest, ...] = (),
    reverse: bool = False,
    time_major: bool = False,
    training: bool = True,
    recompute_every: int = 0,
    compiled: bool = False,
) -> tuple[Tensor, Tensors]:
    """Runs a cell over a whole sequence.

    Args:
        cell: a `rnnapps.cells.Cell` whose weights are built.
        projected: what `cell.project` made of the whole sequence, `(batch, time, any)` or a tuple of such.
        states: initial states, each `(batch, size)`.
        mask: bool `(batch, time)`, True where a step is valid; a masked step carries the states through.
        kept: `(batch, output_size)`, what the output is multiplied by before `recur` reads it, in every step
            (dropout); it has no gradient.
        constants: what `cell.constants` made, alone in a tuple, its tensors `(batch, ...)`; empty for a cell that takes
            none. They are not stored for each step, and their gradient is summed over the steps.
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
    # Rows are independent: each part of the batch is a loop of its own, for a core of its own (`shards_for` says when).
    shards = shards_for(states[0].shape[0], cell) if compiled else 1
    parts = [tf.split(tensor, shards, axis=1) for tensor in tf.nest.flatten(projected)]
    starts = [tf.split(state, shards, axis=0) for state in states]
    masks = [None] * shards if mask is None else tf.split(mask, shards, axis=1)
    kepts = [None] * shards if kept is None else tf.split(kept, shards, axis=0)
    fixed = [tf.split(tensor, shards, axis=0) for tensor in tf.nest.flatten(constants)]
    step = Step(cell, tf.nest.pack_sequence_as(projected, [part[0] for part in parts]), constants)
    passes = Passes(step, reverse=reverse, compiled=compiled)
    keeping: _KeepingPasses = RecomputingPasses(passes, recompute_every) if recompute_every else passes
    weights = [weight.value for weight in cell.weights]
    results = []
    for shard in range(shards):
        xs, start = [part[shard] for part in parts], [start[shard] for start in starts]
        inputs = PassInputs(xs, masks[shard], start, weights, kepts[shard], [tensor[shard] for tensor in fixed])
        results.append(_differentiable(passes, keeping, inputs, training=training))
    outputs = tf.concat([result[0] for result in results], axis=1)
    final = [tf.concat(states, axis=0) for states in zip(*(result[1] for result in results), strict=True)]
    return (outputs if time_major else _swap_batch_and_time(outputs)), final


class _KeepingPasses(Protocol):
    """What `Passes` and `RecomputingPasses` have in common; what is saved is each one's own."""

    def forward(self, inputs: PassInputs) -> tuple[Tensor, Tensors, Nest]:
        """Returns the outputs, the final states and what `backward` needs."""

    def backward(
        self, inputs: PassInputs, saved: Nest, d_outputs: Tensor, d_final: Tensors
    ) -> tuple[Tensors, Tensors, Tensors, Tensors]:
        """Returns the gradients of xs, of the initial states, of the weights and of the constants that are numbers."""


def _differentiable(
    passes: Passes, keeping: _KeepingPasses, inputs: PassInputs, *, training: bool
) -> tuple[Tensor, Tensors]:
    """Joins the forward pass with its gradient.

    Args:
        passes: run forward where nothing need be kept.
        keeping: run where a gradient is wanted.
        inputs: what to run on; the gradients are those of all but the mask and `kept`.
        training: whether a gradient will be wanted.

    Returns:
        Outputs `(time, batch, output_size)` and the final states, each `(batch, size)`.
    """
    # One flat list of tensors, as `custom_gradient` needs, and back.
    sources = [inputs.xs, inputs.start, inputs.weights, list(inputs.constants)]
    parts = tf.nest.map_structure(tf.convert_to_tensor, sources)

    @tf.custom_gradient
    def run(*tensors: Tensor) -> tuple[Nest, Callable[..., list[Tensor | None]]]:
        xs, start, weights, constants = tf.nest.pack_sequence_as(parts, tensors)
        own = PassInputs(xs, inputs.mask, start, weights, inputs.kept, constants)
        if training:
            outputs, final, saved = keeping.forward(own)
        else:
            outputs, final = passes.outputs(own)

        def gradient(d_outputs: Tensor, *d_final: Tensor) -> list[Tensor | None]:
            kept = saved if training else keeping.forward(own)[2]
            *most, d_numbers = keeping.backward(own, kept, d_outputs, list(d_final))
            d_constants = dict(zip(numbers(constants), d_numbers, strict=True))
            return [*tf.nest.flatten(most), *(d_constants.get(place) for place in range(len(constants)))]

        return (outputs, *final), gradient

    outputs, *final = run(*tf.nest.flatten(parts))
    return outputs, final


def _swap_batch_and_time(tensor: Tensor) -> Tensor:
    """`(batch, time, any)` <-> `(time, batch, any)`."""
    return tf.transpose(tensor, [1, 0, *range(2, tensor.shape.rank)])
