"""Layer-normalised long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells.lstm import LSTM
from rnnapps.cells.normalize import normalize
from rnnapps.types import Tensor

__all__ = ["LayerNormLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LayerNormLSTM(LSTM):
    """LSTM with layer normalisation, Ba et al. 2016 (arXiv:1607.06450), equations 20 to 22.

        i, f, g, o = split(a_x * N(x_t W) + a_h * N(h_{t-1} U) + b)         N: mean 0, variance 1 over 4 * units
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
        h_t = sigmoid(o) * tanh(a_c * N(c_t) + b_c)

    States: h and c, each `(batch, units)`. Weights: kernel W `(features, 4 * units)`, recurrent_kernel U
    `(units, 4 * units)`, bias b, input_gain a_x and recurrent_gain a_h `(4 * units,)`, state_gain a_c and state_bias
    b_c `(units,)`. The paper's three biases of the sum are one.

    The arguments are those of `LSTM`.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        self.input_gain = self.add_weight((4 * self.units,), "ones", name="input_gain")
        self.recurrent_gain = self.add_weight((4 * self.units,), "ones", name="recurrent_gain")
        self.state_gain = self.add_weight((self.units,), "ones", name="state_gain")
        self.state_bias = self.add_weight((self.units,), "zeros", name="state_bias")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns a_x * N(x W) + b `(..., 4 * units)`."""
        return self.with_bias(normalize(keras.ops.matmul(inputs, self.kernel)) * self.input_gain)

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        return super().gates(projected, normalize(recurrent) * self.recurrent_gain, states)

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        return gates["output"] * self.activation(normalize(c) * self.state_gain + self.state_bias), c
