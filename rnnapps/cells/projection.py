"""Recurrent projection of a cell's output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.types import Initializer, Nest, Tensor

__all__ = ["Projection"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Projection(Wrapper):
    """Projects the output before it is emitted and fed back; with an LSTM the LSTMP of Sak et al. 2014.

        s_t = cell(x_t, p_{t-1}, s_{t-1})          the cell's recurrent weights read p instead of its own output
        p_t = first(s_t) V

    (arXiv:1402.1128, section 2.) States: p `(batch, units)`, then those of the wrapped cell. Weights: those of the
    cell, its recurrent_kernel with `units` rows, and projection_kernel V `(cell.output_size, units)`.

    Args:
        cell: the wrapped, still unbuilt cell. Its output must enter linearly only: not GRU with reset before, not MGU.
        units: size of the projected output.
        kernel_initializer: initial values of V.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: the cell cannot read a projected output, or is built already.
    """

    def __init__(
        self, cell: Cell, units: int, *, kernel_initializer: Initializer = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(cell, **kwargs)
        if cell.recurrent_size is None:
            raise ConfigError(
                f"Projection: {type(cell).__name__} cannot read a projected output; take a cell whose output enters "
                "by one matrix product (lstm, gru, simple_rnn...), and put Residual outside of Projection"
            )
        if cell.built:
            raise ConfigError("Projection: the wrapped cell is built already; pass a new one")
        self.declare_states(units, *cell.state_size)
        self.log_states = tuple(place + 1 for place in cell.log_states)
        self.units, self.recurrent_size = units, None
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the wrapped cell for inputs `(..., features)`, then V."""
        size = self.cell.output_size
        self.cell.recurrent_size = self.units
        self.cell.build_for(inputs_shape, constants_shape)
        self.projection_kernel = self.add_weight((size, self.units), self.kernel_initializer, name="projection_kernel")

    def update(
        self, projected: Nest, recurrent: Nest, states: Sequence[Tensor], *constants: Nest
    ) -> tuple[Tensor, ...]:
        """Returns the new states: p, then those of the cell."""
        inner = self.cell.update(projected, recurrent, states[1:], *constants)
        return keras.ops.matmul(inner[0], self.projection_kernel), *inner

    def gates(self, projected: Nest, recurrent: Nest, states: Sequence[Tensor], *constants: Nest) -> dict[str, Tensor]:
        """The gates of the wrapped cell."""
        return self.cell.named_gates(projected, recurrent, states[1:], *constants)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
