"""Gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.types import Initializer, Tensor

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
        reset_after: where the reset gate acts, see above.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of U.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    blocks: ClassVar[int] = 3

    def __init__(
        self,
        units: int,
        *,
        reset_after: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, **kwargs
        )
        self.reset_after, self.recurrent_size = reset_after, units if reset_after else None

    def make_bias(self) -> keras.Variable:
        """Adds the weight b, and b' where the reset gate needs it apart."""
        columns = 3 * self.units
        return self.add_weight((2, columns) if self.reset_after else (columns,), "zeros", name="bias")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns x W + b `(..., 3 * units)`."""
        return keras.ops.matmul(inputs, self.kernel) + (self.bias[0] if self.reset_after else self.bias)

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U + b' `(..., 3 * units)`, or h U_zr `(..., 2 * units)` with reset before."""
        if self.reset_after:
            return keras.ops.matmul(output, self.recurrent_kernel) + self.bias[1]
        return keras.ops.matmul(output, self.recurrent_kernel[:, : 2 * self.units])

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        candidate = projected[..., 2 * self.units :]
        if self.reset_after:
            # One pass over the whole row, a third of it for nothing: XLA is slower on slices of it.
            z, r, _ = keras.ops.split(keras.ops.sigmoid(projected + recurrent), 3, axis=-1)
            candidate += r * recurrent[..., 2 * self.units :]
        else:
            z, r = keras.ops.split(keras.ops.sigmoid(projected[..., : 2 * self.units] + recurrent), 2, axis=-1)
            candidate += keras.ops.matmul(r * states[0], self.recurrent_kernel[:, 2 * self.units :])
        return {"update": z, "reset": r, "candidate": keras.ops.tanh(candidate)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        return (gates["candidate"] + gates["update"] * (states[0] - gates["candidate"]),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"reset_after": self.reset_after}
