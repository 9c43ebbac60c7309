"""Minimal gated unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.types import Tensor

__all__ = ["MGU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class MGU(DenseCell):
    """Minimal gated unit, Zhou et al. 2016 (arXiv:1603.09420): a GRU whose one gate both resets and updates.

        f   = sigmoid(x_t W_f + h_{t-1} U_f + b_f)
        g   = tanh(x_t W_g + (f * h_{t-1}) U_g + b_g)
        h_t = (1 - f) * h_{t-1} + f * g

    States: h `(batch, units)`. Weights, in the order f, g: kernel W `(features, 2 * units)`, recurrent_kernel U
    `(units, 2 * units)`, bias b `(2 * units,)`.

    Args:
        units: size of the state.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 2
    projectable: ClassVar[bool] = False

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U_f `(..., units)`."""
        return keras.ops.matmul(output, self.recurrent_kernel[:, : self.units])

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gate and of the candidate, each `(..., units)`."""
        gate, candidate = keras.ops.split(projected, 2, axis=-1)
        forget = keras.ops.sigmoid(gate + recurrent)
        candidate += keras.ops.matmul(forget * states[0], self.recurrent_kernel[:, self.units :])
        return {"forget": forget, "candidate": keras.ops.tanh(candidate)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        return (states[0] + gates["forget"] * (gates["candidate"] - states[0]),)
