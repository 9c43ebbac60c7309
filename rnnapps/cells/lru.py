"""The linear recurrent unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.initializers import LogUniform, RingLogits
from rnnapps.types import Activation, Initializer, Tensor

__all__ = ["LRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LRU(Cell):
    """Linear recurrent unit, Orvieto et al. 2023 (arXiv:2303.06349), section 3: complex numbers that turn and shrink.

        l   = exp(-exp(n) + i exp(p))
        s_t = l * s_{t-1} + exp(g) * x_t W
        h_t = f(Re(s_t C) + x_t D)

    States: s `(batch, units)`, the real parts of units // 2 complex numbers, their imaginary parts, and with an odd
    number of units a real one that only shrinks; h is only emitted. Weights, complex ones in the same order: kernel W
    `(features, units)`, log_rate n and log_scale g of each number, log_phase p of each complex one, output_kernel C
    `(units, units)`, skip_kernel D `(features, units)`.

    Args:
        units: size of the state and of the output.
        activation: f, a Keras activation.
        radius: bounds of the initial |l|, whose square is drawn evenly.
        longest_phase: largest initial angle of l.
        kernel_initializer: initial values of W, C and D.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        activation: Activation = "silu",
        radius: Sequence[float] = (0.9, 0.999),
        longest_phase: float = math.tau,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units, self.activation = units, keras.activations.get(activation)
        self.radius, self.longest_phase = [float(bound) for bound in radius], float(longest_phase)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`; exp(g) starts as sqrt(1 - |l|^2), as in the paper."""
        least, most = self.radius
        shape, units, pairs = (input_shape[-1], self.units), self.units, self.units // 2
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.log_rate = self.add_weight((units - pairs,), RingLogits(least, most), name="log_rate")
        phases = LogUniform(self.longest_phase / 1000, self.longest_phase)
        self.log_phase = self.add_weight((pairs,), phases, name="log_phase")
        self.log_scale = self.add_weight((units - pairs,), self._first_scale, name="log_scale")
        self.output_kernel = self.add_weight((units, units), self.kernel_initializer, name="output_kernel")
        self.skip_kernel = self.add_weight(shape, self.kernel_initializer, name="skip_kernel")

    def _first_scale(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Logarithms that scale inputs to states of as much variance, whatever the radius."""
        squares = keras.ops.exp(-2 * keras.ops.exp(keras.ops.cast(self.log_rate.value, dtype)))
        return keras.ops.log(1 - squares) / 2

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns exp(g) * x W `(..., units)`."""
        scale, pairs = keras.ops.exp(self.log_scale), self.units // 2
        scales = keras.ops.concatenate([scale[:pairs], scale[:pairs], scale[pairs:]])
        return keras.ops.matmul(inputs, self.kernel) * scales

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: the past enters only number by number."""
        return ()

    def update(self, projected: Tensor, recurrent: tuple[()], states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (s,)."""
        pairs, angle = self.units // 2, keras.ops.exp(self.log_phase)
        radius = keras.ops.exp(-keras.ops.exp(self.log_rate))
        cosine, sine = radius[:pairs] * keras.ops.cos(angle), radius[:pairs] * keras.ops.sin(angle)
        real, imaginary, alone = keras.ops.split(states[0], [pairs, 2 * pairs], axis=-1)
        turned = [cosine * real - sine * imaginary, sine * real + cosine * imaginary, radius[pairs:] * alone]
        return (keras.ops.concatenate(turned, axis=-1) + projected,)

    def emit(self, inputs: Tensor, outputs: Tensor, training: bool = False) -> Tensor:
        """Returns f(Re(s C) + x D) `(..., units)`."""
        read = keras.ops.matmul(outputs, self.output_kernel)
        return self.activation(read + keras.ops.matmul(inputs, self.skip_kernel))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "radius": self.radius,
            "longest_phase": self.longest_phase,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
