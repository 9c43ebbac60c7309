"""Long short-term memory with one gate for taking in and forgetting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras

from rnnapps.cells.activations import activated_blocks
from rnnapps.cells.lstm import LSTM
from rnnapps.types import Tensor

__all__ = ["CoupledLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class CoupledLSTM(LSTM):
    """LSTM whose input gate is what its forget gate leaves, Greff et al. 2017 (arXiv:1503.04069), section III ("CIFG").

        f, g, o = split(x_t W + h_{t-1} U + b)
        c_t = sigmoid(f) * c_{t-1} + (1 - sigmoid(f)) * tanh(g)
        h_t = sigmoid(o) * tanh(c_t)

    States: h and c, each `(batch, units)`. Weights: kernel W `(features, 3 * units)`, recurrent_kernel U `(units, 3 *
    units)`, bias b `(3 * units,)`.

    The arguments are those of `LSTM`.
    """

    blocks: ClassVar[int] = 3
    forget_place: ClassVar[int] = 0

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        total = projected + recurrent
        f, _, o = activated_blocks(self.recurrent_activation, total, 3)
        return {"forget": f, "candidate": self.activation(total[..., self.units : 2 * self.units]), "output": o}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["candidate"] + gates["forget"] * (states[1] - gates["candidate"])
        return gates["output"] * self.activation(c), c
