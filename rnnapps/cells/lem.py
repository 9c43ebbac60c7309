"""Long expressive memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.types import Tensor

__all__ = ["LEM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LEM(DenseCell):
    """Long expressive memory, Rusch et al. 2022 (arXiv:2110.04744), equation 3: two states, each at a pace of its own.

        s, r = step * sigmoid(x_t W_sr + y_{t-1} U_sr + b_sr)
        z_t  = (1 - s) * z_{t-1} + s * tanh(x_t W_z + y_{t-1} U_z + b_z)
        y_t  = (1 - r) * y_{t-1} + r * tanh(x_t W_y + z_t V + b_y)

    States: y, the output, and z, each `(batch, units)`. Weights, in the order s, r, z, y: kernel W `(features, 4 *
    units)`, recurrent_kernel U `(units, 3 * units)`, bias b `(4 * units,)`; state_kernel V `(units, units)`.

    Args:
        units: size of each state.
        step: the longest step of time.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 4

    def __init__(self, units: int, *, step: float = 1.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.declare_states(units, units)
        self.step = step

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        rows = self.recurrent_size or self.units
        self.kernel = self.make_kernel((input_shape[-1], 4 * self.units))
        self.recurrent_kernel = self.make_recurrent_kernel((rows, 3 * self.units))
        self.bias = self.make_bias() if self.use_bias else None
        self.state_kernel = self.add_weight((self.units, self.units), self.recurrent_initializer, name="state_kernel")

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The lengths of both steps of time and the candidate of z, each `(..., units)`."""
        s, r, z = keras.ops.split(projected[..., : 3 * self.units] + recurrent, 3, axis=-1)
        gates = {"state_step": keras.ops.sigmoid(s), "output_step": keras.ops.sigmoid(r)}
        return {name: self.step * gate for name, gate in gates.items()} | {"candidate": keras.ops.tanh(z)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (y, z)."""
        gates, (y, z) = self.gates(projected, recurrent, states), states
        z = z + gates["state_step"] * (gates["candidate"] - z)
        wanted = projected[..., 3 * self.units :] + keras.ops.matmul(z, self.state_kernel)
        return y + gates["output_step"] * (keras.ops.tanh(wanted) - y), z

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"step": self.step}
