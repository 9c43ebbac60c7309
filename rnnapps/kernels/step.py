"""A cell's `recur` and `update` as pure functions of tensors, with their vector-Jacobian products."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import keras
import tensorflow as tf
from keras.src.backend.common.variables import AutocastScope  # Keras opens it for calls of layers only

from rnnapps.kernels.pullback import pullback
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["GivenWeights", "KernelCell", "Step", "autocast", "beside", "numbers", "read_by_recur", "turned", "wide"]

_ROWS_TO_TURN = 8


class KernelCell(Protocol):
    """What kernels need of a built cell; `rnnapps.cells.Cell` says what each part means."""

    @property
    def weights(self) -> Sequence[keras.Variable]:
        """All weights, those that only `project` reads too."""

    @property
    def compute_dtype(self) -> str:
        """The type of its tensors."""

    def recur(self, output: Tensor) -> Nest:
        """What the previous output `(batch, output_size)` enters linearly: `(batch, any)`, or several."""

    def update(self, projected: Nest, recurrent: Nest, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The new states, each `(batch, size)`; with a fourth argument for a cell that takes constants."""


class Step:
    """One step of a cell with its weights as arguments; nested projections are flattened to lists.

    Args:
        cell: a built `rnnapps.cells.Cell`.
        projected: the projected inputs; only their nesting is used.
        constants: what `cell.constants` made, alone in a tuple, or an empty one; only the nesting is used.
    """

    def __init__(self, cell: KernelCell, projected: Nest, constants: tuple[Nest, ...] = ()) -> None:
        self._cell, self._projected_structure = cell, tf.nest.map_structure(lambda _: None, projected)
        self._constants_structure = tf.nest.map_structure(lambda _: None, constants)
        # Known once `recur` and `update` were traced, which every pass does before it asks.
        self._recurrent_structure: Nest = None
        self._read_by_update: set[int] = set()

    def recur(self, output: Tensor, weights: Tensors) -> Tensors:
        """The recurrent pre-activations of one step, each `(batch, any)`."""
        with autocast(self._cell), GivenWeights(self._cell.weights, weights):
            recurrent = self._cell.recur(output)
        self._recurrent_structure = tf.nest.map_structure(lambda _: None, recurrent)
        return list(tf.nest.flatten(recurrent))

    def update(
        self, xs: Tensors, recurrents: Tensors, states: Tensors, weights: Tensors, *, constants: Sequence[Tensor] = ()
    ) -> Tensors:
        """The new states of one step, each `(batch, size)`; xs are its projected inputs, recurrents from `recur`."""
        projected = tf.nest.pack_sequence_as(self._projected_structure, xs)
        recurrent = tf.nest.pack_sequence_as(self._recurrent_structure, recurrents)
        fixed = tf.nest.pack_sequence_as(self._constants_structure, list(constants))
        with autocast(self._cell), GivenWeights(self._cell.weights, weights) as bound:
            new = self._cell.update(projected, recurrent, states, *fixed)
        self._read_by_update |= bound.read
        return list(new)

    def update_weights(self, weights: Tensors) -> tuple[list[int], list[int]]:
        """Places of the weights that `update` reads, vectors apart from matrices; known once `update` was traced.

        The gradients of vectors are summed by the loop, those of matrices are products over all steps after it. With
        constants all count as vectors: they have no entry for each step, and to repeat them would be to store them so.
        """
        read = sorted(self._read_by_update)
        if self._constants_structure:
            return read, []
        return [n for n in read if weights[n].shape.rank < 2], [n for n in read if weights[n].shape.rank >= 2]

    def update_gradient(
        self,
        xs: Tensors,
        recurrents: Tensors,
        states: Tensors,
        weights: Tensors,
        *,
        d_new: Tensors,
        wanted: list[int],
        constants: Sequence[Tensor] = (),
    ) -> tuple[Tensors, Tensors, Tensors, Tensors, Tensors]:
        """Vector-Jacobian product of `update`.

        Args:
            xs: projected inputs, each `(rows, any)`; the rows may be those of one step or of all steps.
            recurrents: what `recur` made, each `(rows, any)`.
            states: the states before, each `(rows, size)`.
            weights: values of the cell's weights.
            d_new: gradients of the new states, each `(rows, size)`.
            wanted: places of the weights whose gradients are asked for.
            constants: what stays the same over the sequence, each `(rows, ...)`.

        Returns:
            The gradients of xs, recurrents and states; those of the wanted weights, summed over the rows; and those of
            the constants that are `numbers`.
        """
        fixed = numbers(constants)
        sources = (xs, recurrents, states, [weights[n] for n in wanted], [constants[n] for n in fixed])

        def update(flat: Tensors) -> Tensors:
            xs, recurrents, states, chosen, varied = tf.nest.pack_sequence_as(sources, flat)
            own, others = dict(zip(wanted, chosen, strict=True)), dict(zip(fixed, varied, strict=True))
            replaced = [own.get(n, weight) for n, weight in enumerate(weights)]
            memory = [others.get(n, constant) for n, constant in enumerate(constants)]
            return self.update(xs, recurrents, states, replaced, constants=memory)

        gradients = pullback(update, tf.nest.flatten(sources), d_new)
        d_xs, d_recurrents, d_states, d_weights, d_constants = tf.nest.pack_sequence_as(sources, gradients)
        return d_xs, d_recurrents, d_states, d_weights, d_constants

    def recur_gradient(self, output: Tensor, weights: Tensors, d_recurrents: Tensors) -> Tensor:
        """Gradient of `recur` with respect to the output."""
        return pullback(lambda sources: self.recur(sources[0], weights), [output], d_recurrents)[0]

    def recur_weight_gradients(self, outputs: Tensor, weights: Tensors, d_recurrents: Tensors) -> Tensors:
        """Gradients of `recur` with respect to all weights, summed over the rows."""
        return pullback(lambda sources: self.recur(outputs, sources), weights, d_recurrents)


def numbers(tensors: Sequence[Tensor]) -> list[int]:
    """Places of the tensors that have gradients: not those of masks and of whole numbers."""
    return [place for place, tensor in enumerate(tensors) if tensor.dtype.is_floating]


def beside(mask: Tensor, tensor: Tensor) -> Tensor:
    """A mask `(batch,)` with the rank of a tensor `(batch, ...)`."""
    return tf.reshape(mask, [-1, *([1] * (tensor.shape.rank - 1))])


def wide(dtype: tf.DType) -> tf.DType:
    """The type for sums over many steps: float32 at least."""
    return tf.float64 if dtype == tf.float64 else tf.float32


def turned(weights: Tensors, rows: int | None) -> Tensors:
    """The weights with every matrix transposed, if products with that many rows gain by it; undoes itself.

    The backward loop multiplies by transposed matrices. Stored that way before the loop they save XLA and TensorFlow
    the strided reading in every step; a single row is a matrix-vector product, which reads either order as fast.
    """
    turns = rows is None or rows >= _ROWS_TO_TURN
    return [tf.transpose(weight) if turns and weight.shape.rank == 2 else weight for weight in weights]


def read_by_recur(cell: KernelCell, output_size: int) -> list[int]:
    """Places of the weights that `recur` reads of a built cell with outputs of this size."""
    found: set[int] = set()

    def probe() -> None:
        output, values = tf.zeros([1, output_size], cell.compute_dtype), [weight.value for weight in cell.weights]
        with autocast(cell), GivenWeights(cell.weights, values) as bound:
            cell.recur(output)
        found.update(bound.read)

    tf.function(probe, autograph=False).get_concrete_function()
    return sorted(found)


def autocast(cell: KernelCell) -> AbstractContextManager[None]:
    """A context in which the cell's weights show its compute dtype outside of any layer's call, as in gradients."""
    scope: AbstractContextManager[None] = AutocastScope(cell.compute_dtype)
    return scope


class GivenWeights(keras.StatelessScope):
    """Within it a layer computes with the given tensors in place of its weights; notes which it read.

    The tensors keep their own dtype: they were cast, if at all, when the layer was called.
    """

    def __init__(self, variables: Sequence[keras.Variable], values: Tensors) -> None:
        super().__init__()
        # By identity: variables compare element by element.
        self._places = {id(variable): place for place, variable in enumerate(variables)}
        self._values = values
        self.read: set[int] = set()

    def get_current_value(self, variable: keras.Variable) -> Tensor | None:
        """The tensor that stands for the variable."""
        place = self._places.get(id(variable))
        if place is None:
            return super().get_current_value(variable)
        self.read.add(place)
        return self._values[place]
