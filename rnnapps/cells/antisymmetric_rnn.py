"""The antisymmetric recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.types import Tensor

__all__ = ["AntisymmetricRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class AntisymmetricRNN(DenseCell):
    """Gated antisymmetric recurrent network, Chang et al. 2019 (arXiv:1902.09689), equations 15 and 16.

        r   = h_{t-1} (U - U' - d I)
        h_t = h_{t-1} + e * sigmoid(x_t W_z + r + b_z) * tanh(x_t W_h + r + b_h)

    The eigenvalues of what the past enters by are imaginary but for -d: gradients neither explode nor vanish.

    States: h `(batch, units)`. Weights, in the order z, h: kernel W `(features, 2 * units)`, recurrent_kernel U
    `(units, units)`, bias b `(2 * units,)`.

    Args:
        units: size of the state.
        step: e, how far a step goes.
        diffusion: d.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 2
    projectable: ClassVar[bool] = False

    def __init__(self, units: int, *, step: float = 0.1, diffusion: float = 0.01, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.step, self.diffusion = step, diffusion

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        self.kernel = self.make_kernel((input_shape[-1], 2 * self.units))
        self.recurrent_kernel = self.make_recurrent_kernel((self.units, self.units))
        self.bias = self.make_bias() if self.use_bias else None

    def recur(self, output: Tensor) -> Tensor:
        """Returns h (U - U' - d I) `(..., units)`."""
        kernel = self.recurrent_kernel
        return keras.ops.matmul(output, kernel - keras.ops.transpose(kernel)) - self.diffusion * output

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gate and of the candidate, each `(..., units)`."""
        z, candidate = keras.ops.split(projected, 2, axis=-1)
        return {"update": keras.ops.sigmoid(z + recurrent), "candidate": keras.ops.tanh(candidate + recurrent)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        return (states[0] + self.step * gates["update"] * gates["candidate"],)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"step": self.step, "diffusion": self.diffusion}
