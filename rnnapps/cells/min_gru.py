"""Minimal GRU, trainable in parallel over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.initializers import GateConstants
from rnnapps.cells.linear import LinearCell
from rnnapps.types import Initializer, Tensor

__all__ = ["MinGRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class MinGRU(LinearCell):
    """Minimal GRU, Feng et al. 2024, "Were RNNs all we needed?" (arXiv:2410.01201), section 3.1.

        z   = sigmoid(x_t W_z + b_z)
        h_t = (1 - z) * h_{t-1} + z * (x_t W_h + b_h)

    States: h `(batch, units)`. Weights, in the order z, h: kernel W `(features, 2 * units)`, bias b `(2 * units,)`.

    Args:
        units: size of the state.
        update_bias: initial b_z; the lower, the longer the cell remembers at the start.
        kernel_initializer: initial values of W.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self, units: int, *, update_bias: float = 0.0, kernel_initializer: Initializer = "glorot_uniform", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.declare_units(units)
        self.update_bias = update_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], 2 * self.units), self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((2 * self.units,), GateConstants([self.update_bias, 0.0]), name="bias")

    def coefficients(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns 1 - z and z * (x W_h + b_h), each `(..., units)`."""
        gate, candidate = keras.ops.split(keras.ops.matmul(inputs, self.kernel) + self.bias, 2, axis=-1)
        return keras.ops.sigmoid(-gate), keras.ops.sigmoid(gate) * candidate

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "update_bias": self.update_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
