"""Independently recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.simple_rnn import SimpleRNN
from rnnapps.types import Activation, Initializer, Tensor

__all__ = ["IndRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class IndRNN(SimpleRNN):
    """Independently recurrent network, Li et al. 2018 (arXiv:1803.04831): each unit sees only its own past.

        h_t = f(x_t W + u * h_{t-1} + b)

    States: h `(batch, units)`. Weights: kernel W `(features, units)`, recurrent_kernel u `(units,)`, bias b `(units,)`.

    Args:
        units: size of the state.
        activation: f, a Keras activation.
        recurrent_initializer: initial values of u; by default uniform from 0 to 1, as in the paper.
        **kwargs: further arguments of `DenseCell`.
    """

    projectable: ClassVar[bool] = False

    def __init__(
        self,
        units: int,
        *,
        activation: Activation = "relu",
        recurrent_initializer: Initializer | None = None,
        **kwargs: Any,
    ) -> None:
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(0.0, 1.0)
        super().__init__(units, activation=activation, recurrent_initializer=recurrent_initializer, **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.make_kernel((input_shape[-1], self.units))
        self.recurrent_kernel = self.make_recurrent_kernel((self.units,))
        self.bias = self.make_bias() if self.use_bias else None

    def recur(self, output: Tensor) -> Tensor:
        """Returns u * h `(..., units)`."""
        return output * self.recurrent_kernel
