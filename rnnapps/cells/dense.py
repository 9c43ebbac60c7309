"""The contract of a cell with one dense kernel for its input and one for its past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.refused import refuse
from rnnapps.kernels.by_rows import by_rows
from rnnapps.types import Initializer, Nest, Tensor

__all__ = ["DenseCell"]


class DenseCell(Cell):
    """Base class of cells that read their input by one matrix product and their past by another.

    The weights consist of blocks of `units` columns, one for each gate and candidate: kernel W `(features, blocks *
    units)`, recurrent_kernel U `(units, blocks * units)`, bias b `(blocks * units,)`. By default the cell projects
    x W + b and recurs to h U. A subclass sets `blocks` and writes `update`; one with more than one state calls
    `declare_states` after this class's `__init__`.

    Args:
        units: size of the output, and of the one state.
        use_bias: whether there is a b.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of U.
        bias_initializer: initial values of b.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: added to the loss, Keras regularisers.
        kernel_constraint, recurrent_constraint, bias_constraint: applied after each update, Keras constraints.
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
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Nest = None,
        recurrent_regularizer: Nest = None,
        bias_regularizer: Nest = None,
        kernel_constraint: Nest = None,
        recurrent_constraint: Nest = None,
        bias_constraint: Nest = None,
        **kwargs: Any,
    ) -> None:
        refuse(type(self).__name__, kwargs, "dropout", "recurrent_dropout", "seed", "implementation")
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units, self.recurrent_size = units, units if self.projectable else None
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.use_bias, self.bias_initializer = use_bias, keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        columns, rows = self.blocks * self.units, self.recurrent_size or self.units
        self.kernel = self.make_kernel((input_shape[-1], columns))
        self.recurrent_kernel = self.make_recurrent_kernel((rows, columns))
        self.bias = self.make_bias() if self.use_bias else None

    def make_kernel(self, shape: tuple[int | None, ...]) -> keras.Variable:
        """Adds the weight W."""
        return self.add_weight(
            shape,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )

    def make_recurrent_kernel(self, shape: tuple[int | None, ...]) -> keras.Variable:
        """Adds the weight U."""
        return self.add_weight(
            shape,
            self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )

    def make_bias(self, shape: tuple[int, ...] | None = None, initializer: Initializer | None = None) -> keras.Variable:
        """Adds the weight b; by default `(blocks * units,)` and with the cell's initial values."""
        return self.add_weight(
            (self.blocks * self.units,) if shape is None else shape,
            self.bias_initializer if initializer is None else initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="bias",
        )

    def with_bias(self, values: Tensor) -> Tensor:
        """Adds b to `(..., blocks * units)`, if there is one."""
        return values if self.bias is None else values + self.bias

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns x W + b `(..., blocks * units)`."""
        return self.with_bias(by_rows(lambda rows: keras.ops.matmul(rows, self.kernel), inputs))

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U `(..., blocks * units)`."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": keras.constraints.serialize(self.recurrent_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
