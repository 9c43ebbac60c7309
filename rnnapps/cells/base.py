"""The contract of a recurrent cell: one step of maths in three parts."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.errors import ConfigError
from rnnapps.kernels.step import read_by_recur
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

    A cell that defines `constants(memory)` reads what stays the same over a sequence, the outputs of an encoder or
    static features: `update` gets what it returns as a fourth argument, `build` the shapes of the memory as a second.
    One whose `project` has a parameter `elapsed` gets the time since the step before, `(..., 1)`, or None.

    Subclasses call `declare_states` in `__init__` and make all weights in `build`.
    `update` and `recur` may use weights of their own; their gradients are computed after the backward loop.

    Attributes:
        state_size: size of each state, the output first, as Keras has it: an int, or a tuple for several axes.
        output_size: size of the output.
        log_states: places of the states that hold logarithms, by which others are scaled.
        recurrent_size: size of the vector `recur` reads. A cell that sets it, and builds its recurrent weights by it,
            can be wrapped in `Projection`, which changes it before `build`; None where the output itself is needed.
    """

    state_size: list[int | tuple[int, ...]]
    output_size: int
    log_states: tuple[int, ...] = ()
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

    def recurrence(self) -> Cell:
        """The cell whose recurrence this is: its own, unless a wrapper leaves that of its cell as it is."""
        return self

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

    @property
    def takes_elapsed(self) -> bool:
        """Whether `project` reads the time since the step before."""
        return "elapsed" in inspect.signature(type(self).project).parameters

    def project_after(self, inputs: Tensor, elapsed: Tensor | None, training: bool = False) -> Nest:
        """Projected inputs; the time since the step before `(..., 1)` goes with them where it is given."""
        timed: dict[str, Any] = {} if elapsed is None else {"elapsed": elapsed}
        return self.project(inputs, training=training, **timed)

    @property
    def takes_constants(self) -> bool:
        """Whether `update` reads what stays the same over a sequence."""
        return type(self).constants is not Cell.constants

    def constants(self, memory: Nest) -> Nest:
        """Maps what stays the same over a sequence to what `update` gets as its fourth argument, at every step.

        Computed once a sequence, and not stored for each step. A cell that takes no constants does not define it.

        Args:
            memory: a tensor `(batch, ...)` or a nest of such.

        Returns:
            The same: tensors with the batch first.
        """
        raise NotImplementedError(f"{type(self).__name__} takes no constants")

    def fixed(self, memory: Nest) -> tuple[Nest, ...]:
        """What `update` takes after the states: what `constants` makes of the memory, or nothing.

        Raises:
            ConfigError: there is a memory for a cell that takes none, or none for one that does.
        """
        if self.takes_constants != (memory is not None):
            raise ConfigError(
                f"{type(self).__name__} reads constants: pass them, constants=..."
                if self.takes_constants
                else f"{type(self).__name__} takes no constants: join them to the inputs of each step, or write a cell "
                "with constants(memory)"
            )
        return (self.constants(memory),) if self.takes_constants else ()

    def build_for(self, input_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the cell, unless it is, for inputs `(..., features)` and constants of these shapes."""
        if not self.built:
            self.build(input_shape, *([constants_shape] if self.takes_constants else []))

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

    def recurrent_weights(self) -> list[keras.Variable]:
        """The weights of a built cell by which its past output enters: what `weight_drop` of a layer acts on.

        By default those of two axes and more that `recur` reads, but no bias. A cell whose output enters in `update`
        names them here, and one whose recurrent weights must stay as they are names none.
        """
        read = [self.weights[place] for place in read_by_recur(self, self.output_size)]
        return [weight for weight in read if len(weight.shape) > 1 and "bias" not in weight.name]

    def gates(self, projected: Nest, recurrent: Nest, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """Named gate activations of one step, for `inspect`; empty for a cell without gates."""
        return {}

    def named_gates(
        self, projected: Nest, recurrent: Nest, states: Sequence[Tensor], *constants: Nest
    ) -> dict[str, Tensor]:
        """What `gates` returns; of a cell that takes constants it gets them as it does in `update`."""
        return {} if type(self).gates is Cell.gates else self.gates(projected, recurrent, states, *constants)

    def initial_states(self, batch_size: Size) -> Tensors:
        """Zero states: a list of tensors `(batch, *shape)` in the compute dtype."""
        return [keras.ops.zeros((batch_size, *shape), dtype=self.compute_dtype) for shape in self.state_shapes]

    get_initial_state = initial_states

    def call(
        self,
        inputs: Tensor,
        states: Sequence[Tensor],
        training: bool = False,
        *,
        constants: Nest = None,
        elapsed: Tensor | None = None,
    ) -> tuple[Tensor, Tensors]:
        """One step, Keras's cell contract: inputs `(batch, features)` -> (output, new states).

        Constants are for cells that read them, and so is `elapsed`, `(batch, 1)`, the time since the step before.
        """
        projected, fixed = self.project_after(inputs, elapsed, training=training), self.fixed(constants)
        new_states = self.update(projected, self.recur(states[0]), states, *fixed)
        return self.emit(inputs, new_states[0], training=training), list(new_states)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor; a subclass adds its own."""
        return dict(super().get_config())
