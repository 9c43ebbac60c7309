"""The simplified state space layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.diagonal import DiagonalCell
from rnnapps.cells.initializers import Spread
from rnnapps.cells.timed import elapsed_of
from rnnapps.types import Tensor

__all__ = ["S5"]


@keras.saving.register_keras_serializable(package="rnnapps")
class S5(DiagonalCell):
    """Diagonal state space model, Smith et al. 2023, "S5" (arXiv:2208.04933), section 3: linear in continuous time.

        ds/dt = l * s + x_t W                                l = -exp(n) + i w, complex numbers that turn and shrink
        s_t   = exp(l d) * s_{t-1} + (exp(l d) - 1) / l * (x_t W)             d = exp(p) * elapsed_t
        h_t   = f(Re(s_t C) + x_t D)

    `Recurrent` takes the time since the step before as `elapsed` `(batch, time)`, 1 by default: rows need no grid.
    The gate behind it in the paper is left to other layers, and f is silu by default: not every runtime of an export
    knows the paper's gelu.

    States: s `(batch, units)`, the real parts of units // 2 complex numbers, their imaginary parts, and with an odd
    number of units a real one; h is only emitted. Weights, complex ones in the same order: kernel W `(features,
    units)`, log_rate n and log_step p of each number, frequency w of each complex one, output_kernel C `(units,
    units)`, skip_kernel D `(features, units)`.

    Args:
        units: size of the state and of the output.
        step: bounds between which exp(p) is drawn, evenly in its logarithm.
        **kwargs: further arguments of `DiagonalCell`.
    """

    def __init__(self, units: int, *, step: Sequence[float] = (0.001, 0.1), **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.step = [float(bound) for bound in step]

    def make_dynamics(self, pairs: int, numbers: int) -> None:
        """Adds n, w and p; l begins as -1/2 + i pi k (S4D-Lin, arXiv:2206.11893)."""
        self.log_rate = self.add_weight((numbers,), keras.initializers.Constant(math.log(0.5)), name="log_rate")
        self.frequency = self.add_weight((pairs,), Spread(0.0, math.pi * max(pairs - 1, 0)), name="frequency")
        steps = keras.initializers.RandomUniform(*(math.log(bound) for bound in self.step))
        self.log_step = self.add_weight((numbers,), steps, name="log_step")

    def project(self, inputs: Tensor, training: bool = False, elapsed: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns x W `(..., units)` and the time since the step before `(..., 1)`."""
        return keras.ops.matmul(inputs, self.kernel), elapsed_of(inputs, elapsed, self.compute_dtype)

    def update(
        self, projected: tuple[Tensor, Tensor], recurrent: tuple[()], states: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Returns the new state (s,)."""
        driven, elapsed = projected
        pairs, rate, turning = self.units // 2, keras.ops.exp(self.log_rate), self.frequency
        time = keras.ops.exp(self.log_step) * elapsed
        left, angle = keras.ops.exp(-rate * time), turning * time[..., :pairs]
        real, imaginary = left[..., :pairs] * keras.ops.cos(angle), left[..., :pairs] * keras.ops.sin(angle)
        # (exp(l d) - 1) / l = (exp(l d) - 1) conj(l) / |l|^2 with conj(l) = -rate - i w
        square = rate[:pairs] ** 2 + turning**2
        entry_real = (turning * imaginary - rate[:pairs] * (real - 1)) / square
        entry_imaginary = (-turning * (real - 1) - rate[:pairs] * imaginary) / square
        (x, y, alone), (u, v, driving) = self.apart(states[0]), self.apart(driven)
        new = [
            real * x - imaginary * y + entry_real * u - entry_imaginary * v,
            imaginary * x + real * y + entry_imaginary * u + entry_real * v,
            left[..., pairs:] * alone + (1 - left[..., pairs:]) / rate[pairs:] * driving,
        ]
        return (keras.ops.concatenate(new, axis=-1),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"step": self.step}
