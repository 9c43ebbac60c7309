"""Closed-form continuous-time network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.timed import TimedDenseCell
from rnnapps.types import Tensor

__all__ = ["CfC"]


@keras.saving.register_keras_serializable(package="rnnapps")
class CfC(TimedDenseCell):
    """Closed-form continuous-time network, Hasani et al. 2022 (arXiv:2106.13898), equation 10.

        a       = 1.7159 tanh(0.666 (x_t W + h_{t-1} U + b))                          the backbone that all heads share
        f, g, k = split(a V + c)
        s       = sigmoid(-f * step * elapsed_t)
        h_t     = s * tanh(g) + (1 - s) * tanh(k)

    `Recurrent` takes the time since the step before as `elapsed` `(batch, time)`, 1 by default.

    States: h `(batch, units)`. Weights: kernel W `(features, units)`, recurrent_kernel U `(units, units)`, bias b
    `(units,)`; heads_kernel V `(units, 3 * units)`, heads_bias c `(3 * units,)`.

    Args:
        units: size of the state and of the backbone.
        step: how much 1 of `elapsed` counts.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 1

    def __init__(self, units: int, *, step: float = 1.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.step = step

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        shape = (self.units, 3 * self.units)
        self.heads_kernel = self.add_weight(shape, self.kernel_initializer, name="heads_kernel")
        self.heads_bias = self.add_weight((3 * self.units,), "zeros", name="heads_bias")

    def gates(self, projected: tuple[Tensor, Tensor], recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The share s of the first candidate, and both candidates, each `(..., units)`."""
        driven, elapsed = projected
        backbone = 1.7159 * keras.ops.tanh(0.666 * (driven + recurrent))
        f, g, k = keras.ops.split(keras.ops.matmul(backbone, self.heads_kernel) + self.heads_bias, 3, axis=-1)
        candidates = {"candidate": keras.ops.tanh(g), "later_candidate": keras.ops.tanh(k)}
        return {"update": keras.ops.sigmoid(-self.step * elapsed * f)} | candidates

    def update(
        self, projected: tuple[Tensor, Tensor], recurrent: Tensor, states: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        later = gates["later_candidate"]
        return (later + gates["update"] * (gates["candidate"] - later),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"step": self.step}
