"""Residual connection around a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.errors import ConfigError
from rnnapps.types import Nest, Tensor

__all__ = ["Residual"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Residual(Wrapper):
    """Adds the cell's input to its output, Wu et al. 2016 (arXiv:1609.08144), section 3.1.

        y_t = x_t + h_t

    States: those of the wrapped cell, `(batch, size)` each; they do not contain the sum.

    Args:
        cell: the wrapped cell, whose output has as many features as its input.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, cell: Cell, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.recurrent_size = None

    def build(self, inputs_shape: Sequence[int | None], constants_shape: Nest = None) -> None:
        """Builds the wrapped cell for inputs `(..., output_size)`.

        Raises:
            ConfigError: input and output differ in size.
        """
        if inputs_shape[-1] != self.output_size:
            raise ConfigError(
                f"Residual: the input has {inputs_shape[-1]} features but the cell {self.output_size} units; "
                "make them equal"
            )
        self.cell.build_for(inputs_shape, constants_shape)

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Returns inputs + outputs, each `(..., output_size)`."""
        return inputs + self.cell.emit(inputs, outputs, training=training)
