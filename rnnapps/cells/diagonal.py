"""The contract of a cell whose state is a diagonal linear system of complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.types import Activation, Initializer, Tensor

__all__ = ["DiagonalCell"]


class DiagonalCell(Cell):
    """Base class of cells that turn and shrink complex numbers, and emit h_t = f(Re(s_t C) + x_t D).

    States: s `(batch, units)`, the real parts of units // 2 complex numbers, their imaginary parts, and with an odd
    number of units a real one; h is only emitted. Weights, complex ones in the same order: kernel W `(features,
    units)`, those of `make_dynamics`, output_kernel C `(units, units)`, skip_kernel D `(features, units)`.

    Args:
        units: size of the state and of the output.
        activation: f, a Keras activation.
        kernel_initializer: initial values of W, C and D.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        activation: Activation = "silu",
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units, self.activation = units, keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        shape, units = (input_shape[-1], self.units), self.units
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.make_dynamics(pairs=units // 2, numbers=units - units // 2)
        self.output_kernel = self.add_weight((units, units), self.kernel_initializer, name="output_kernel")
        self.skip_kernel = self.add_weight(shape, self.kernel_initializer, name="skip_kernel")

    def make_dynamics(self, pairs: int, numbers: int) -> None:
        """Adds the weights of the system: of so many complex numbers, and of all with the real one."""
        raise NotImplementedError(f"{type(self).__name__} must define make_dynamics(pairs, numbers)")

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: the past enters only number by number."""
        return ()

    def apart(self, values: Tensor) -> list[Tensor]:
        """Real parts, imaginary parts and what is real, of `(..., units)`."""
        pairs = self.units // 2
        return list(keras.ops.split(values, [pairs, 2 * pairs], axis=-1))

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Returns f(Re(s C) + x D) `(..., units)`."""
        read = keras.ops.matmul(outputs, self.output_kernel)
        return self.activation(read + keras.ops.matmul(inputs, self.skip_kernel))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
