"""Liquid time-constant network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.timed import TimedDenseCell
from rnnapps.errors import ConfigError
from rnnapps.types import Tensor

__all__ = ["LTC"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LTC(TimedDenseCell):
    """Liquid time-constant network, Hasani et al. 2021 (arXiv:2006.04439), equations 1 and 3: inputs set its pace.

        dh/dt = -(r + f) * h + f * A                               f = sigmoid(x_t W + h U + b)
        h    <- (h + d * f * A) / (1 + d * (r + f))                `solver_steps` times, d = elapsed_t / solver_steps

    (the paper's fused solver, implicit in h where h enters linearly). `Recurrent` takes the time since the step before
    as `elapsed` `(batch, time)`, 1 by default.

    States: h `(batch, units)`. Weights: kernel W `(features, units)`, recurrent_kernel U `(units, units)`, bias b
    `(units,)`; log_rate log r `(units,)`, level A `(units,)`.

    Args:
        units: size of the state.
        solver_steps: steps of the solver within a step of time; the paper takes 6.
        **kwargs: further arguments of `DenseCell`.

    Raises:
        ConfigError: a size or the number of steps is not a positive integer.
    """

    blocks: ClassVar[int] = 1
    projectable: ClassVar[bool] = False

    def __init__(self, units: int, *, solver_steps: int = 6, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if not isinstance(solver_steps, int) or solver_steps < 1:
            raise ConfigError(f"LTC: expected a positive integer as solver_steps, got {solver_steps!r}")
        self.solver_steps = solver_steps

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        self.log_rate = self.add_weight((self.units,), "zeros", name="log_rate")
        self.level = self.add_weight((self.units,), keras.initializers.RandomUniform(-1, 1), name="level")

    def gates(self, projected: tuple[Tensor, Tensor], recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """How fast time passes at the beginning of the step, f `(..., units)`."""
        return {"input": keras.ops.sigmoid(projected[0] + recurrent)}

    def update(
        self, projected: tuple[Tensor, Tensor], recurrent: Tensor, states: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        driven, elapsed = projected
        rate, short, (h,) = keras.ops.exp(self.log_rate), elapsed / self.solver_steps, states
        for step in range(self.solver_steps):
            past = recurrent if step == 0 else self.recur(h)
            f = keras.ops.sigmoid(driven + past)
            h = (h + short * f * self.level) / (1 + short * (rate + f))
        return (h,)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"solver_steps": self.solver_steps}
