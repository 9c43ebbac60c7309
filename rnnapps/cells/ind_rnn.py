"""Independently recurrent network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.simple_rnn import SimpleRNN
from rnnapps.types import Initializer, Tensor

__all__ = ["IndRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class IndRNN(SimpleRNN):
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

    projectable: ClassVar[bool] = False

    def __init__(
        self,
        units: int,
        *,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer | None = None,
        **kwargs: Any,
    ) -> None:
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(0.0, 1.0)
        super().__init__(
            units,
            activation=activation,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            **kwargs,
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight((self.units,), self.recurrent_initializer, name="recurrent_kernel")
        self.bias = self.make_bias()

    def recur(self, output: Tensor) -> Tensor:
        """Returns u * h `(..., units)`."""
        return output * self.recurrent_kernel
