"""Long short-term memory with peephole connections."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells.lstm import LSTM
from rnnapps.types import Tensor

__all__ = ["PeepholeLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class PeepholeLSTM(LSTM):
    """LSTM whose gates see the cell state, Gers & Schmidhuber 2000, "Recurrent nets that time and count".

        i, f, g, o = split(x_t W + h_{t-1} U + b)
        c_t = sigmoid(f + p_f * c_{t-1}) * c_{t-1} + sigmoid(i + p_i * c_{t-1}) * tanh(g)
        h_t = sigmoid(o + p_o * c_t) * tanh(c_t)

    States: h and c, each `(batch, units)`. Weights: kernel W `(features, 4 * units)`, recurrent_kernel U
    `(units, 4 * units)`, bias b `(4 * units,)`, peepholes p_i, p_f, p_o `(3, units)`.

    The arguments are those of `LSTM`.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`; the peepholes start within 0.1 of zero, as in the paper."""
        super().build(input_shape)
        self.peepholes = self.add_weight((3, self.units), keras.initializers.RandomUniform(-0.1, 0.1), name="peepholes")

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        return self._step(projected, recurrent, states)[0]

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates, c = self._step(projected, recurrent, states)
        return gates["output"] * self.activation(c), c

    def _step(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        i, f, g, o = keras.ops.split(projected + recurrent, 4, axis=-1)
        sigmoid, c = self.recurrent_activation, states[1]
        gates = {
            "input": sigmoid(i + self.peepholes[0] * c),
            "forget": sigmoid(f + self.peepholes[1] * c),
            "candidate": self.activation(g),
        }
        c = gates["forget"] * c + gates["input"] * gates["candidate"]
        return gates | {"output": sigmoid(o + self.peepholes[2] * c)}, c
