"""The contract of a recurrent cell: one step of maths in three parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Size, Tensor, Tensors

__all__ = ["Cell"]


class Cell(keras.layers.Layer):
    """Base class of recurrent cells.

    A subclass writes three parts, and from them gets Keras's cell contract (`call`) and the fused kernel:

    - `project(inputs)` what depends on the input only. It is computed for all time steps at once.
    - `recur(output)` what the previous output enters linearly: one matrix product a step.
    - `update(projected, recurrent, states)` everything else, row by row: each batch row on its own.

    Tensors have any number of leading dimensions and the features last: `(..., features)`. `projected` and
    `recurrent` may be a tensor or a tuple of tensors. The first state is the cell's output, and is what `recur` gets.
    Other states may have several axes, `(..., heads, rows, columns)` for example.

    Subclasses call `declare_states` in `__init__` and make all weights in `build`.
    `update` and `recur` may use weights of their own; their gradients are computed after the backward loop.

    Attributes:
        state_size: size of each state, the output first, as Keras has it: an int, or a tuple for several axes.
        output_size: size of the output.
        recurrent_size: size of the vector `recur` reads. A cell that sets it, and builds its recurrent weights by it,
            can be wrapped in `Projection`, which changes it before `build`; None where the output itself is needed.
    """

    state_size: list[int | tuple[int, ...]]
    output_size: int
    recurrent_size: int | None = None

    def declare_states(self, output: int, *others: int | tuple[int, ...]) -> None:
        """Sets `state_size` and `output_size` from the sizes of the states, tuples for states of several axes.

        Raises:
            ConfigError: a size is not a positive integer.
        """
        for size in (output, *others):
            axes = size if isinstance(size, tuple) else (size,)
            if any(not isinstance(axis, int) or isinstance(axis, bool) or axis < 1 for axis in axes):
                wanted = "positive integers as the axes of a state" if axes is size else "a positive integer as units"
                raise ConfigError(f"{type(self).__name__}: expected {wanted}, got {size!r}")
        self.state_size, self.output_size = [output, *others], output

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each state without its rows: `(size,)` for most."""
        return [size if isinstance(size, tuple) else (size,) for size in self.state_size]

    def use_dtype(self, policy: keras.DTypePolicy) -> None:
        """Makes the cell compute by another policy than it was made with: that of the layer around it.

        Raises:
            ConfigError: its weights exist already, in another type.
        """
        if self.built and policy.variable_dtype != self.variable_dtype:
            raise ConfigError(
                f"{self.name}: built with the dtype {self.variable_dtype}, but the layer around it has "
                f"{policy.name}; give both the same dtype"
            )
        self.dtype_policy = policy

    def project(self, inputs: Tensor, training: bool = False) -> Nest:
        """Maps inputs `(..., features)` to the projected inputs `(..., any)`, a tensor or a tuple of tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define project(inputs, training)")

    def recur(self, output: Tensor) -> Nest:
        """Maps the previous output `(batch, output_size)` linearly to `(batch, any)`, a tensor or a tuple."""
        raise NotImplementedError(f"{type(self).__name__} must define recur(output)")

    def update(self, projected: Nest, recurrent: Nest, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Maps one step's `projected`, `recurrent` and previous states to the new states, the output first."""
        raise NotImplementedError(f"{type(self).__name__} must define update(projected, recurrent, states)")

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Maps the first state to what the layer returns; the default returns it unchanged (see Residual)."""
        return outputs

    def gates(self, projected: Nest, recurrent: Nest, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """Named gate activations of one step, for `inspect`; empty for a cell without gates."""
        return {}

    def initial_states(self, batch_size: Size) -> Tensors:
        """Zero states: a list of tensors `(batch, *shape)` in the compute dtype."""
        return [keras.ops.zeros((batch_size, *shape), dtype=self.compute_dtype) for shape in self.state_shapes]

    get_initial_state = initial_states

    def call(self, inputs: Tensor, states: Sequence[Tensor], training: bool = False) -> tuple[Tensor, Tensors]:
        """One step, Keras's cell contract: inputs `(batch, features)` -> (output, new states)."""
        projected = self.project(inputs, training=training)
        new_states = self.update(projected, self.recur(states[0]), states)
        return self.emit(inputs, new_states[0], training=training), list(new_states)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor; a subclass adds its own."""
        return dict(super().get_config())
