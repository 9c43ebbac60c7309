"""Independently recurrent network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell

__all__ = ["IndRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class IndRNN(Cell):
    """Independently recurrent network, Li et al. 2018 (arXiv:1803.04831): each unit sees only its own past.

        h_t = f(x_t W + u * h_{t-1} + b)

    States: h `(batch, units)`. Weights: kernel W `(features, units)`, recurrent_kernel u `(units,)`, bias b `(units,)`.

    Args:
        units: size of the state.
        activation: f, a Keras activation.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of u; by default uniform from 0 to 1, as in the paper.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        activation: str | Callable[[Any], Any] = "relu",
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(
            keras.initializers.RandomUniform(0.0, 1.0) if recurrent_initializer is None else recurrent_initializer
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight((self.units,), self.recurrent_initializer, name="recurrent_kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def project(self, inputs: Any, training: bool = False) -> Any:
        """Returns x W + b `(..., units)`."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output: Any) -> Any:
        """Returns u * h `(..., units)`."""
        return output * self.recurrent_kernel

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
