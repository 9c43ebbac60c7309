"""The linear recurrent unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.diagonal import DiagonalCell
from rnnapps.cells.initializers import LogUniform, RingLogits
from rnnapps.types import Tensor

__all__ = ["LRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LRU(DiagonalCell):
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
        radius: bounds of the initial |l|, whose square is drawn evenly.
        longest_phase: largest initial angle of l.
        **kwargs: further arguments of `DiagonalCell`.
    """

    def __init__(
        self, units: int, *, radius: Sequence[float] = (0.9, 0.999), longest_phase: float = math.tau, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        self.radius, self.longest_phase = [float(bound) for bound in radius], float(longest_phase)

    def make_dynamics(self, pairs: int, numbers: int) -> None:
        """Adds n, p and g; exp(g) starts as sqrt(1 - |l|^2), as in the paper."""
        least, most = self.radius
        self.log_rate = self.add_weight((numbers,), RingLogits(least, most), name="log_rate")
        phases = LogUniform(self.longest_phase / 1000, self.longest_phase)
        self.log_phase = self.add_weight((pairs,), phases, name="log_phase")
        self.log_scale = self.add_weight((numbers,), self._first_scale, name="log_scale")

    def _first_scale(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Logarithms that scale inputs to states of as much variance, whatever the radius."""
        squares = keras.ops.exp(-2 * keras.ops.exp(keras.ops.cast(self.log_rate.value, dtype)))
        return keras.ops.log(1 - squares) / 2

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns exp(g) * x W `(..., units)`."""
        scale, pairs = keras.ops.exp(self.log_scale), self.units // 2
        scales = keras.ops.concatenate([scale[:pairs], scale[:pairs], scale[pairs:]])
        return keras.ops.matmul(inputs, self.kernel) * scales

    def update(self, projected: Tensor, recurrent: tuple[()], states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (s,)."""
        pairs, angle = self.units // 2, keras.ops.exp(self.log_phase)
        radius = keras.ops.exp(-keras.ops.exp(self.log_rate))
        cosine, sine = radius[:pairs] * keras.ops.cos(angle), radius[:pairs] * keras.ops.sin(angle)
        real, imaginary, alone = self.apart(states[0])
        turned = [cosine * real - sine * imaginary, sine * real + cosine * imaginary, radius[pairs:] * alone]
        return (keras.ops.concatenate(turned, axis=-1) + projected,)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"radius": self.radius, "longest_phase": self.longest_phase}
