"""The contract of a cell with one dense kernel for its input and one for its past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.base import Cell
from rnnapps.types import Initializer, Tensor

__all__ = ["DenseCell"]


class DenseCell(Cell):
    """Base class of cells that read their input by one matrix product and their past by another.

    The weights consist of blocks of `units` columns, one for each gate and candidate: kernel W `(features, blocks *
    units)`, recurrent_kernel U `(units, blocks * units)`, bias b `(blocks * units,)`. By default the cell projects
    x W + b and recurs to h U. A subclass sets `blocks` and writes `update`; one with more than one state calls
    `declare_states` after this class's `__init__`.

    Args:
        units: size of the output, and of the one state.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of U.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Attributes:
        blocks: number of gates and candidates.
        projectable: whether the output enters by `recur` only, so that `Projection` may change what U reads.
    """

    blocks: ClassVar[int] = 1
    projectable: ClassVar[bool] = True

    def __init__(
        self,
        units: int,
        *,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units, self.recurrent_size = units, units if self.projectable else None
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        columns, rows = self.blocks * self.units, self.recurrent_size or self.units
        self.kernel = self.add_weight((input_shape[-1], columns), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight((rows, columns), self.recurrent_initializer, name="recurrent_kernel")
        self.bias = self.make_bias()

    def make_bias(self) -> keras.Variable:
        """Adds the weight b, zeros."""
        return self.add_weight((self.blocks * self.units,), "zeros", name="bias")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns x W + b `(..., blocks * units)`."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U `(..., blocks * units)`."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
