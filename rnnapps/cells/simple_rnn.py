"""The simple recurrent network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell

__all__ = ["SimpleRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class SimpleRNN(Cell):
    """Simple (Elman) recurrent network, Elman 1990, "Finding structure in time".

        h_t = f(x_t W_xh + h_{t-1} W_hh + b_h)

    States: h `(batch, units)`. Weights, as in `keras.layers.SimpleRNN`: kernel W_xh `(features, units)`,
    recurrent_kernel W_hh `(units, units)`, bias b_h `(units,)`.

    Args:
        units: size of the state.
        activation: f, a Keras activation.
        kernel_initializer: initial values of W_xh.
        recurrent_initializer: initial values of W_hh.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        activation: str | Callable[[Any], Any] = "tanh",
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units = self.recurrent_size = units
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.recurrent_size, self.units), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def project(self, inputs: Any, training: bool = False) -> Any:
        """Returns x W_xh + b_h `(..., units)`."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output: Any) -> Any:
        """Returns h W_hh `(..., units)`."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def update(self, projected: Any, recurrent: Any, states: Sequence[Any]) -> tuple[Any, ...]:
        """Returns the new state (h,)."""
        return (self.activation(projected + recurrent),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
