"""Recurrent weights that a training step does without; Merity et al. 2017 (arXiv:1708.02182), section 2."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras

from rnnapps.cells.base import Cell
from rnnapps.errors import ConfigError
from rnnapps.kernels.step import GivenWeights
from rnnapps.layers.variational import drawn_mask
from rnnapps.types import Tensors

__all__ = ["WeightDrop"]


class WeightDrop:
    """Draws which recurrent weights of cells are 0, the same ones for all rows and steps; the others are scaled up.

    Args:
        rate: share of the weights set to zero, 0 to below 1.

    Attributes:
        weights: those of `Cell.recurrent_weights`, once they were found; none with a rate of 0.
    """

    def __init__(self, rate: float) -> None:
        self.rate, self.weights = rate, list[keras.Variable]()

    def find(self, *cells: Cell) -> None:
        """Finds the recurrent weights of built cells, unless none are to be dropped.

        Raises:
            ConfigError: a cell has none.
        """
        self.weights = []
        for cell in cells if self.rate else ():
            found = cell.recurrent_weights()
            if not found:
                raise ConfigError(
                    f"weight_drop {self.rate}: {type(cell).__name__} has no recurrent matrix to drop weights of; leave "
                    "it at 0, or take a cell that has one (lstm, gru, simple_rnn...)"
                )
            self.weights += found

    def draw(self, generator: keras.random.SeedGenerator | None) -> Tensors | None:
        """What stands for the weights, some entries 0; None where none are dropped."""
        if generator is None or not self.weights:
            return None
        values = [weight.value for weight in self.weights]
        return [value * drawn_mask(value.shape, self.rate, generator, value.dtype, of_rows=False) for value in values]

    def using(self, values: Tensors | None) -> AbstractContextManager[object]:
        """A context in which the cells compute with what `draw` gave, in place of their recurrent weights.

        Nothing may be drawn in it: a seed generator would not move on.
        """
        return nullcontext() if values is None else GivenWeights(self.weights, values)
