"""Inputs and outputs that scale each other before a cell reads them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.dense import DenseCell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.types import Initializer, Nest, Tensor

__all__ = ["Mogrifier"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Mogrifier(Wrapper):
    """Lets the input and the output before scale each other in turns, Melis et al. 2020 (arXiv:1909.01792), section 2.

        x <- 2 sigmoid(h Q_i) * x        in rounds 1, 3, 5...
        h <- 2 sigmoid(x R_i) * h        in rounds 2, 4...
        s_t = cell(x, h, s_{t-1})

    States: those of the wrapped cell. Weights: those of the cell; input_kernel_0... Q `(units, features)` and
    output_kernel_0... R `(features, units)`, each with a `rank` behind a factor `(..., rank)` of the same number. The
    input is read within the loop, not for all steps at once: a step costs as much more as the kernel's product.

    Args:
        cell: the wrapped cell, a `DenseCell`.
        rounds: how often one scales the other; the paper takes 5.
        rank: of Q and R; None for full matrices.
        kernel_initializer: initial values of Q and R.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Raises:
        ConfigError: the cell is no `DenseCell`, or a number is not a positive integer.
    """

    def __init__(
        self,
        cell: Cell,
        *,
        rounds: int = 5,
        rank: int | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, **kwargs)
        if not isinstance(cell, DenseCell) or cell.takes_elapsed:
            raise ConfigError(
                f"Mogrifier: expected a dense cell (lstm, gru, simple_rnn...), got {type(cell).__name__}; put wrappers "
                "around the Mogrifier"
            )
        for name, number in {"rounds": rounds, "rank": 1 if rank is None else rank}.items():
            if not isinstance(number, int) or number < 1:
                raise ConfigError(f"Mogrifier: expected a positive integer as {name}, got {number!r}")
        self.rounds, self.rank, self.recurrent_size = rounds, rank, None
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the wrapped cell for inputs `(..., features)`, then Q and R."""
        self.cell.build_for(inputs_shape, constants_shape)
        features, units = inputs_shape[-1] or 0, self.output_size
        self._input_kernels = self._make("input", (self.rounds + 1) // 2, units, features)
        self._output_kernels = self._make("output", self.rounds // 2, features, units)

    def _make(self, name: str, count: int, rows: int, columns: int) -> list[list[keras.Variable]]:
        """Adds the matrices of the rounds that scale one of both, each as the factors it is the product of."""
        sizes = [rows, columns] if self.rank is None else [rows, self.rank, columns]
        names = ["kernel"] if self.rank is None else ["factor", "kernel"]
        return [
            [
                self.add_weight(shape, self.kernel_initializer, name=f"{name}_{part}_{place}")
                for part, shape in zip(names, itertools.pairwise(sizes), strict=True)
            ]
            for place in range(count)
        ]

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> Tensor:
        """Returns the inputs: what they become depends on the output before."""
        return inputs

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: what the output becomes depends on the input."""
        return ()

    def update(
        self, projected: Tensor, recurrent: tuple[()], states: Sequence[Tensor], *constants: Nest
    ) -> tuple[Tensor, ...]:
        """Returns the new states of the wrapped cell."""
        return self.cell.update(*self._scaled(projected, states), *constants)

    def gates(
        self, projected: Tensor, recurrent: tuple[()], states: Sequence[Tensor], *constants: Nest
    ) -> dict[str, Tensor]:
        """The gates of the wrapped cell."""
        return self.cell.named_gates(*self._scaled(projected, states), *constants)

    def _scaled(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Nest, Nest, Sequence[Tensor]]:
        """What the wrapped cell projects and recurs to, and its states."""
        h = states[0]
        for place in range(self.rounds):
            if place % 2 == 0:
                x = 2 * keras.ops.sigmoid(_product(h, self._input_kernels[place // 2])) * x
            else:
                h = 2 * keras.ops.sigmoid(_product(x, self._output_kernels[place // 2])) * h
        return self.cell.project(x), self.cell.recur(h), [h, *states[1:]]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return super().get_config() | {"rounds": self.rounds, "rank": self.rank, "kernel_initializer": initializer}


def _product(values: Tensor, factors: Sequence[Tensor]) -> Tensor:
    """Values `(..., rows)` through one matrix or two."""
    for factor in factors:
        values = keras.ops.matmul(values, factor)
    return values
