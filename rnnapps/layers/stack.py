"""Several recurrent layers, one on top of the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.cells import make_cell
from rnnapps.cells.base import Cell
from rnnapps.config import RecurrentConfig
from rnnapps.errors import ConfigError
from rnnapps.kernels.choice import Kernel
from rnnapps.kernels.step import autocast
from rnnapps.layers.activation_penalty import activation_penalty
from rnnapps.layers.arguments import as_states, check_arguments, check_cell, check_constants, check_elapsed, given
from rnnapps.layers.bidirectional import Bidirectional
from rnnapps.layers.dropout import Dropout
from rnnapps.layers.recurrent import Recurrent
from rnnapps.types import Nest, Size, Tensor, Tensors

__all__ = ["RecurrentStack", "recurrent_stack"]

StackStep = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensors]]


@keras.saving.register_keras_serializable(package="rnnapps")
class RecurrentStack(keras.layers.Layer):
    """A deep recurrent network with explicit states.

    Args:
        cells: one cell per layer, the lowest first.
        bidirectional: read the sequence in both directions in every layer and join the outputs.
        residual: add each layer's input to its output wherever their sizes agree.
        dropout: share of values dropped between layers while training.
        locked_dropout: whether these are the same ones at all steps of a row, see `Dropout`.
        weight_drop: share of the recurrent weights dropped while training, see `Recurrent`.
        activation_regularization: factor of the mean square of the outputs in the loss while training.
        temporal_activation_regularization: the same of the differences between outputs of neighbouring steps.
        kernel: which kernel runs the layers, see `Recurrent`.
        recompute_every: trade time for memory, see `Recurrent`.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: no cells, or a dropout outside [0, 1); a call with wrong ranks, sizes or numbers of states.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        *,
        bidirectional: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        locked_dropout: bool = False,
        weight_drop: float = 0.0,
        activation_regularization: float = 0.0,
        temporal_activation_regularization: float = 0.0,
        kernel: Kernel = "auto",
        recompute_every: int = 0,
        **kwargs: Any,
    ) -> None:
        if not cells:
            raise ConfigError("RecurrentStack: expected at least one cell")
        for cell in cells:
            check_cell(cell)
        dtype = kwargs.pop("dtype", None)
        super().__init__(dtype=cells[0].dtype_policy if dtype is None else dtype, **kwargs)
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout: expected a share from 0 to below 1, got {dropout}")
        self.cells, self.bidirectional, self.residual, self.dropout = list(cells), bidirectional, residual, dropout
        self.locked_dropout, self.weight_drop = locked_dropout, weight_drop
        self.activation_regularization = activation_regularization
        self.temporal_activation_regularization = temporal_activation_regularization
        self.kernel, self.recompute_every = kernel, recompute_every
        self.recurrent_layers = [self._layer(cell, number) for number, cell in enumerate(self.cells)]
        self.dropouts = [Dropout(dropout, locked=locked_dropout, dtype=self.dtype_policy) for _ in self.cells[1:]]
        self.supports_masking = True
        self.features: int | None = None

    def _layer(self, cell: Cell, number: int) -> Recurrent | Bidirectional:
        """The layer around one cell, with all outputs and its final states."""
        layer = Recurrent(
            cell,
            return_sequences=True,
            return_state=True,
            weight_drop=self.weight_drop,
            kernel=self.kernel,
            recompute_every=self.recompute_every,
            name=f"layer_{number}",
            dtype=self.dtype_policy,
        )
        if not self.bidirectional:
            return layer
        return Bidirectional(layer, name=f"layer_{number}_bidirectional", dtype=self.dtype_policy)

    def build(self, sequences_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Makes the weights for inputs `(batch, time, features)` and constants of these shapes."""
        self.features, shape = sequences_shape[-1], tuple(sequences_shape)
        for layer in self.recurrent_layers:
            layer.build(shape, constants_shape=constants_shape)
            shape = layer.compute_output_shape(shape)[0]

    @property
    def output_size(self) -> int:
        """Size of the outputs of the last layer."""
        return self.cells[-1].output_size * (2 if self.bidirectional else 1)

    @property
    def state_sizes(self) -> list[int | tuple[int, ...]]:
        """Sizes of all states, the lowest layer first; a tuple where a state has several axes."""
        return [size for cell in self.cells for size in cell.state_size * (2 if self.bidirectional else 1)]

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of all states without their rows, the lowest layer first: `(size,)` for most."""
        return [shape for cell in self.cells for shape in cell.state_shapes * (2 if self.bidirectional else 1)]

    def initial_states(self, batch_size: Size) -> Tensors:
        """Zero states of all layers in one list, each `(batch, size)`."""
        return [state for layer in self.recurrent_layers for state in layer.initial_states(batch_size)]

    def __call__(self, sequences: Tensor, *others: Any, **named: Any) -> Any:
        """Runs the layer, as `call` says, once its arguments were checked."""
        order = ("states", "mask", "training", "constants", "elapsed")
        states, mask, _, constants, elapsed = given(others, named, *order)
        shapes = self.state_shapes
        check_arguments(self, sequences, states, mask, shapes=shapes, features=self.features)
        check_constants(self, sequences, constants, self.cells)
        check_elapsed(self, sequences, elapsed, self.cells)
        return super().__call__(sequences, *others, **named)

    def call(
        self,
        sequences: Tensor,
        states: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool = False,
        *,
        constants: Nest = None,
        elapsed: Tensor | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Runs all layers.

        Args:
            sequences: inputs `(batch, time, features)`.
            states: initial states of all layers, as `initial_states` lists them; zeros by default.
            mask: bool `(batch, time)`, True where a step is valid.
            training: whether dropout is on.
            constants: what stays the same over a sequence, a tensor `(batch, ...)` or a nest of such: for all layers
                whose cells read it.
            elapsed: time since the step before, `(batch, time)`, as in `Recurrent.call`: for all layers whose cells
                read it.

        Returns:
            Outputs `(batch, time, output_size)` and the final states of all layers.
        """
        states = list(self.initial_states(tf.shape(sequences)[0]) if states is None else as_states(states))
        final: Tensors = []
        for number, layer in enumerate(self.recurrent_layers):
            inputs = self.dropouts[number - 1](sequences, training=training) if number else sequences
            count = len(layer.initial_states(1))
            start = states[len(final) : len(final) + count]
            beside = {
                "constants": constants if self.cells[number].takes_constants else None,
                "elapsed": elapsed if self.cells[number].takes_elapsed else None,
            }
            outputs, *last = layer(inputs, initial_state=start, mask=mask, training=training, **beside)
            sequences = self._joined(sequences, outputs)
            final += last
        if training:
            self._penalise(sequences, mask)
        return sequences, final

    def _penalise(self, outputs: Tensor, mask: Tensor | None) -> None:
        """Adds to the loss what large and restless outputs `(batch, time, size)` cost."""
        size, change = self.activation_regularization, self.temporal_activation_regularization
        if size or change:
            self.add_loss(activation_penalty(outputs, mask, size=size, change=change))

    def looking_up(self, vectors: Tensor, constants: Nest = None) -> StackStep:
        """One step of all layers for inputs that are rows of a table.

        The lowest layer's projection of all rows is computed here, once; a step only looks it up.

        Args:
            vectors: `(rows, features)`.
            constants: as in `call`.

        Returns:
            A function of row numbers int32 `(batch,)` and the states of all layers, which returns the outputs
            `(batch, output_size)` and the new states.
        """
        vectors = tf.cast(vectors, self.compute_dtype)
        with autocast(self):
            table = self.cells[0].project(vectors)
            fixed = [cell.fixed(constants if cell.takes_constants else None) for cell in self.cells]

        def step(rows: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
            sequences = tf.gather(vectors, rows)
            final: Tensors = []
            for number, cell in enumerate(self.cells):
                start = states[len(final) : len(final) + len(cell.state_size)]
                projected = tf.nest.map_structure(lambda t: tf.gather(t, rows), table) if number == 0 else None
                outputs, last = _one_step(cell, sequences, start, projected=projected, constants=fixed[number])
                sequences = self._joined(sequences, outputs)
                final += last
            return sequences, final

        return step

    def _joined(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """A layer's outputs, with its inputs added where the stack is residual and their sizes agree."""
        return inputs + outputs if self.residual and outputs.shape[-1] == inputs.shape[-1] else outputs

    def compute_output_shape(
        self,
        sequences_shape: Sequence[int | None],
        states_shape: Sequence[Sequence[int | None]] | None = None,
        constants_shape: Nest = None,
    ) -> Any:
        """Shapes of what `call` returns."""
        batch, time = sequences_shape[:2]
        return (batch, time, self.output_size), [(batch, *shape) for shape in self.state_shapes]

    def compute_mask(self, sequences: Tensor, previous_mask: Tensor | None) -> Nest:
        """The mask goes on with the outputs."""
        return previous_mask, [None for _ in self.state_sizes]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "bidirectional": self.bidirectional,
            "residual": self.residual,
            "dropout": self.dropout,
            "locked_dropout": self.locked_dropout,
            "weight_drop": self.weight_drop,
            "activation_regularization": self.activation_regularization,
            "temporal_activation_regularization": self.temporal_activation_regularization,
            "kernel": self.kernel,
            "recompute_every": self.recompute_every,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RecurrentStack:
        """Makes the layer from `get_config`."""
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**(config | {"cells": cells}))


def _one_step(
    cell: Cell, inputs: Tensor, states: Sequence[Tensor], *, projected: Nest | None, constants: tuple[Nest, ...]
) -> tuple[Tensor, Tensors]:
    """A cell's output and new states; `projected` is `cell.project(inputs)` where it is known."""
    with autocast(cell):
        projected = cell.project(inputs) if projected is None else projected
        new = cell.update(projected, cell.recur(states[0]), states, *constants)
        return cell.emit(inputs, new[0]), list(new)


def recurrent_stack(config: RecurrentConfig, *, name: str | None = None) -> RecurrentStack:
    """The stack that a configuration describes.

    Raises:
        ConfigError: unknown cell.
    """
    return RecurrentStack(
        [make_cell(config.cell, config.units, name="cell") for _ in range(config.layers)],
        bidirectional=config.bidirectional,
        residual=config.residual,
        dropout=config.dropout,
        locked_dropout=config.locked_dropout,
        weight_drop=config.weight_drop,
        activation_regularization=config.activation_regularization,
        temporal_activation_regularization=config.temporal_activation_regularization,
        name=name,
    )
