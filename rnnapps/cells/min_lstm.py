"""Minimal LSTM, trainable in parallel over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.initializers import GateConstants
from rnnapps.cells.linear import LinearCell
from rnnapps.types import Initializer, Tensor

__all__ = ["MinLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class MinLSTM(LinearCell):
    """Minimal LSTM, Feng et al. 2024, "Were RNNs all we needed?" (arXiv:2410.01201), section 3.2.

        f, i = sigmoid(x_t W_f + b_f), sigmoid(x_t W_i + b_i)
        h_t  = f / (f + i) * h_{t-1} + i / (f + i) * (x_t W_h + b_h)

    States: h `(batch, units)`. Weights, in the order f, i, h: kernel W `(features, 3 * units)`, bias b `(3 * units,)`.

    Args:
        units: size of the state.
        forget_bias: initial b_f; the higher, the longer the cell remembers at the start.
        kernel_initializer: initial values of W.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self, units: int, *, forget_bias: float = 1.0, kernel_initializer: Initializer = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.declare_units(units)
        self.forget_bias = forget_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], 3 * self.units), self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((3 * self.units,), GateConstants([self.forget_bias, 0.0, 0.0]), name="bias")

    def coefficients(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns f / (f + i) and i / (f + i) * (x W_h + b_h), each `(..., units)`."""
        forget, take, candidate = keras.ops.split(keras.ops.matmul(inputs, self.kernel) + self.bias, 3, axis=-1)
        log_odds = keras.ops.softplus(-take) - keras.ops.softplus(-forget)  # log(f / i): no 0 / 0 for closed gates
        return keras.ops.sigmoid(log_odds), keras.ops.sigmoid(-log_odds) * candidate

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "forget_bias": self.forget_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
