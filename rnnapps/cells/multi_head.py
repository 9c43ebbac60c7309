"""Several small cells side by side, in the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["MultiHead"]


@keras.saving.register_keras_serializable(package="rnnapps")
class MultiHead(Wrapper):
    """Runs copies of a cell side by side, each with weights of its own: a recurrence in diagonal blocks, as in xLSTM.

    Every head reads the whole input and its own past only (Beck et al. 2024, arXiv:2405.04517, section 2.2): `heads`
    cells of u units have as many recurrent weights as one of u * sqrt(heads).

    States: those of the heads side by side, `(batch, heads * size)`; of several axes, along the first. Weights: those
    of each head.

    Args:
        cell: the first head, unbuilt; the others are made by its settings.
        heads: how many.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: the number of heads is not a positive integer, or the cell is built already.
    """

    def __init__(self, cell: Cell, heads: int, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        if not isinstance(heads, int) or heads < 1:
            raise ConfigError(f"MultiHead: expected a positive integer as heads, got {heads!r}")
        if cell.built:
            raise ConfigError("MultiHead: the wrapped cell is built already; pass a new one")
        self.heads, self.recurrent_size = heads, None
        self.declare_states(*([_times(size, heads) for size in cell.state_size]))
        config = cell.get_config()
        self.others = [type(cell).from_config(config | {"name": f"{cell.name}_{n}"}) for n in range(1, heads)]

    @property
    def cells(self) -> list[Cell]:
        """The heads."""
        return [self.cell, *self.others]

    def use_dtype(self, policy: keras.DTypePolicy) -> None:
        """Makes this cell and its heads compute by another policy."""
        for cell in self.others:
            cell.use_dtype(policy)
        super().use_dtype(policy)

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the heads for inputs `(..., features)`."""
        for cell in self.cells:
            cell.build_for(inputs_shape, constants_shape)

    def constants(self, memory: Nest) -> tuple[Nest, ...]:
        """Returns what each head makes of the constants."""
        return tuple(cell.constants(memory) for cell in self.cells)

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> tuple[Nest, ...]:
        """Returns what each head projects."""
        return tuple(cell.project_after(inputs, elapsed, training=training) for cell in self.cells)

    def recur(self, output: Tensor) -> tuple[Nest, ...]:
        """Returns what each head makes of its part of the output."""
        parts = keras.ops.split(output, self.heads, axis=-1)
        return tuple(cell.recur(part) for cell, part in zip(self.cells, parts, strict=True))

    def update(
        self, projected: tuple[Nest, ...], recurrent: tuple[Nest, ...], states: Sequence[Tensor], *constants: Nest
    ) -> tuple[Tensor, ...]:
        """Returns the new states of the heads, side by side."""
        new = [
            cell.update(own, past, parts, *(each[head] for each in constants))
            for head, (cell, own, past, parts) in enumerate(
                zip(self.cells, projected, recurrent, self._apart(states), strict=True)
            )
        ]
        return tuple(self._beside(place, parts) for place, parts in enumerate(zip(*new, strict=True)))

    def recurrent_weights(self) -> list[keras.Variable]:
        """Those of all heads."""
        return [weight for cell in self.cells for weight in cell.recurrent_weights()]

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Returns what each head emits, side by side."""
        parts = keras.ops.split(outputs, self.heads, axis=-1)
        emitted = [cell.emit(inputs, part, training=training) for cell, part in zip(self.cells, parts, strict=True)]
        return keras.ops.concatenate(emitted, axis=-1)

    def gates(
        self, projected: tuple[Nest, ...], recurrent: tuple[Nest, ...], states: Sequence[Tensor], *constants: Nest
    ) -> dict[str, Tensor]:
        """The gates of all heads, side by side."""
        found = [
            cell.named_gates(own, past, parts, *(each[head] for each in constants))
            for head, (cell, own, past, parts) in enumerate(
                zip(self.cells, projected, recurrent, self._apart(states), strict=True)
            )
        ]
        return {name: keras.ops.concatenate([gates[name] for gates in found], axis=-1) for name in found[0]}

    def _apart(self, states: Sequence[Tensor]) -> list[Tensors]:
        """The states of each head."""
        parted = [
            keras.ops.split(state, self.heads, axis=_first_axis(shape))
            for state, shape in zip(states, self.state_shapes, strict=True)
        ]
        return [list(parts) for parts in zip(*parted, strict=True)]

    def _beside(self, place: int, parts: Sequence[Tensor]) -> Tensor:
        """One state of all heads."""
        return keras.ops.concatenate(parts, axis=_first_axis(self.state_shapes[place]))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"heads": self.heads}


def _times(size: int | tuple[int, ...], heads: int) -> Any:
    """The size of as many states, one behind the other along their first axis."""
    return (size[0] * heads, *size[1:]) if isinstance(size, tuple) else size * heads


def _first_axis(shape: tuple[int, ...]) -> int:
    """The place of the first axis behind rows, counted from the end."""
    return -len(shape)
