"""The contract of a cell around another cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import keras

from rnnapps.cells.base import Cell
from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Tensor

__all__ = ["Wrapper"]


class Wrapper(Cell):
    """Base class of cells that change one thing about another cell and pass on everything else.

    Args:
        cell: the wrapped cell; its dtype is the wrapper's unless `dtype` is given.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: `cell` is not a `rnnapps.cells.Cell`.
    """

    def __init__(self, cell: Cell, **kwargs: Any) -> None:
        if not isinstance(cell, Cell):
            raise ConfigError(f"{type(self).__name__}: expected a rnnapps cell to wrap, got {cell!r}")
        kwargs.setdefault("dtype", cell.dtype_policy)
        super().__init__(**kwargs)
        self.cell = cell
        self.declare_states(cell.output_size, *cell.state_size[1:])
        self.recurrent_size, self.log_states = cell.recurrent_size, cell.log_states

    def recurrence(self) -> Cell:
        """That of the wrapped cell, if only what goes in or comes out is another; then its kernel runs it."""
        kept = all(getattr(type(self), part) is getattr(Wrapper, part) for part in ("recur", "update"))
        return self.cell.recurrence() if kept else self

    def use_dtype(self, policy: keras.DTypePolicy) -> None:
        """Makes this cell and the wrapped one compute by another policy."""
        self.cell.use_dtype(policy)
        super().use_dtype(policy)

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the wrapped cell for inputs `(..., features)`."""
        self.cell.recurrent_size = self.recurrent_size
        self.cell.build_for(inputs_shape, constants_shape)

    @property
    def takes_constants(self) -> bool:
        """Whether the wrapped cell does."""
        return self.cell.takes_constants

    def constants(self, memory: Nest) -> Nest:
        """Returns what the wrapped cell makes of its constants."""
        return self.cell.constants(memory)

    @property
    def takes_elapsed(self) -> bool:
        """Whether the wrapped cell does."""
        return self.cell.takes_elapsed

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> Nest:
        """Returns what the wrapped cell projects."""
        return self.cell.project_after(inputs, elapsed, training=training)

    def recur(self, output: Tensor) -> Nest:
        """Returns what the wrapped cell makes of the output."""
        return self.cell.recur(output)

    def update(
        self, projected: Nest, recurrent: Nest, states: Sequence[Tensor], *constants: Nest
    ) -> tuple[Tensor, ...]:
        """Returns the new states of the wrapped cell."""
        return self.cell.update(projected, recurrent, states, *constants)

    def recurrent_weights(self) -> list[keras.Variable]:
        """Those that its own `recur` reads; where it reads none, those of the wrapped cell."""
        return super().recurrent_weights() or self.cell.recurrent_weights()

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Returns what the wrapped cell emits."""
        return self.cell.emit(inputs, outputs, training=training)

    def gates(self, projected: Nest, recurrent: Nest, states: Sequence[Tensor], *constants: Nest) -> dict[str, Tensor]:
        """The gates of the wrapped cell."""
        return self.cell.named_gates(projected, recurrent, states, *constants)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, the wrapped cell serialised and, like a new one, unbuilt."""
        cell = keras.saving.serialize_keras_object(self.cell)
        cell.pop("build_config", None)
        return super().get_config() | {"cell": cell}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes a wrapper and its cell from `get_config`'s answer."""
        return cls(**config | {"cell": keras.saving.deserialize_keras_object(config["cell"])})
