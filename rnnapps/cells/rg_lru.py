"""The real-gated linear recurrent unit of Griffin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.initializers import DecayLogits
from rnnapps.cells.linear import LinearCell
from rnnapps.types import Initializer, Tensor

__all__ = ["RGLRU"]

SHARPNESS, LEAST = 8.0, 1e-12


@keras.saving.register_keras_serializable(package="rnnapps")
class RGLRU(LinearCell):
    """Real-gated linear recurrent unit, De et al. 2024, "Griffin" (arXiv:2402.19427), section 2.4.

        u, r, i = x_t W_u, sigmoid(x_t W_r + b_r), sigmoid(x_t W_i + b_i)
        a   = sigmoid(L) ** (8 r)
        h_t = a * h_{t-1} + sqrt(1 - a^2) * (i * u)

    States: h `(batch, units)`. Weights, in the order u, r, i: kernel W `(features, 3 * units)`, bias b `(2 * units,)`
    of r and i; decay L `(units,)`.

    Args:
        units: size of the state.
        decay: bounds between which sigmoid(L) ** 8 is drawn.
        kernel_initializer: initial values of W.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        decay: Sequence[float] = (0.9, 0.999),
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_units(units)
        self.decay_bounds = [float(bound) for bound in decay]
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.add_weight((input_shape[-1], 3 * self.units), self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((2 * self.units,), "zeros", name="bias")
        self.decay = self.add_weight((self.units,), DecayLogits(*self.decay_bounds, power=SHARPNESS), name="decay")

    def coefficients(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns a and sqrt(1 - a^2) * (i * u), each `(..., units)`."""
        product = keras.ops.matmul(inputs, self.kernel)
        gates = keras.ops.sigmoid(product[..., self.units :] + self.bias)
        r, i = keras.ops.split(gates, 2, axis=-1)
        log_decay = SHARPNESS * keras.ops.log_sigmoid(self.decay) * r
        # 1 - a^2 without the loss of a near 1; a closed gate r leaves 0, whose root has no derivative.
        rest = keras.ops.sqrt(keras.ops.maximum(-keras.ops.expm1(2 * log_decay), LEAST))
        return keras.ops.exp(log_decay), rest * i * product[..., : self.units]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "decay": self.decay_bounds,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
