"""Gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.activations import activated_blocks
from rnnapps.cells.dense import DenseCell
from rnnapps.types import Activation, Initializer, Tensor

__all__ = ["GRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class GRU(DenseCell):
    """Gated recurrent unit, Cho et al. 2014 (arXiv:1406.1078).

        z, r = split(sigmoid(x_t W_zr + h_{t-1} U_zr + b_zr))
        g    = tanh(x_t W_h + b_h + r * (h_{t-1} U_h + b'_h))        reset after the product (faster; cuDNN, Keras)
        g    = tanh(x_t W_h + b_h + (r * h_{t-1}) U_h)               reset before it (the paper)
        h_t  = z * h_{t-1} + (1 - z) * g

    States: h `(batch, units)`. Weights, as in `keras.layers.GRU`: kernel W `(features, 3 * units)`, recurrent_kernel U
    `(units, 3 * units)`, bias `(2, 3 * units)` for the input and the recurrent side, `(3 * units,)` with reset before.

    Args:
        units: size of the state.
        activation: what stands as tanh above, a Keras activation.
        recurrent_activation: what stands as sigmoid above.
        reset_after: where the reset gate acts, see above.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 3

    def __init__(
        self,
        units: int,
        *,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.reset_after, self.recurrent_size = reset_after, units if reset_after else None

    def make_bias(self, shape: tuple[int, ...] | None = None, initializer: Initializer | None = None) -> keras.Variable:
        """Adds the weight b, and b' where the reset gate needs it apart."""
        return super().make_bias((2, 3 * self.units) if self.reset_after else (3 * self.units,), initializer)

    def with_bias(self, values: Tensor) -> Tensor:
        """Adds b to `(..., 3 * units)`, if there is one."""
        return values + self.bias[0] if self.use_bias and self.reset_after else super().with_bias(values)

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U + b' `(..., 3 * units)`, or h U_zr `(..., 2 * units)` with reset before."""
        if not self.reset_after:
            return keras.ops.matmul(output, self.recurrent_kernel[:, : 2 * self.units])
        recurrent = keras.ops.matmul(output, self.recurrent_kernel)
        return recurrent + self.bias[1] if self.use_bias else recurrent

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        candidate = projected[..., 2 * self.units :]
        if self.reset_after:
            z, r, _ = activated_blocks(self.recurrent_activation, projected + recurrent, 3)
            candidate += r * recurrent[..., 2 * self.units :]
        else:
            z, r = activated_blocks(self.recurrent_activation, projected[..., : 2 * self.units] + recurrent, 2)
            candidate += keras.ops.matmul(r * states[0], self.recurrent_kernel[:, 2 * self.units :])
        return {"update": z, "reset": r, "candidate": self.activation(candidate)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        return (gates["candidate"] + gates["update"] * (states[0] - gates["candidate"]),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
