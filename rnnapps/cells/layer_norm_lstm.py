"""Layer-normalised long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.initializers import GateConstants
from rnnapps.cells.normalize import normalize

__all__ = ["LayerNormLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LayerNormLSTM(Cell):
    """LSTM with layer normalisation, Ba et al. 2016 (arXiv:1607.06450), equations 20 to 22.

        i, f, g, o = split(a_x * N(x_t W) + a_h * N(h_{t-1} U) + b)         N: mean 0, variance 1 over 4 * units
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
        h_t = sigmoid(o) * tanh(a_c * N(c_t) + b_c)

    States: h and c, each `(batch, units)`. Weights: kernel W `(features, 4 * units)`, recurrent_kernel U
    `(units, 4 * units)`, bias b, input_gain a_x and recurrent_gain a_h `(4 * units,)`, state_gain a_c and state_bias
    b_c `(units,)`. The paper's three biases of the sum are one.

    Args:
        units: size of each state.
        forget_bias: initial bias of the forget gate.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of U.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        forget_bias: float = 1.0,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units, units)
        self.units = self.recurrent_size = units
        self.forget_bias = forget_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        gates, bias = 4 * self.units, GateConstants([0.0, self.forget_bias, 0.0, 0.0])
        self.kernel = self.add_weight((input_shape[-1], gates), self.kernel_initializer, name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.recurrent_size, gates), self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight((gates,), bias, name="bias")
        self.input_gain = self.add_weight((gates,), "ones", name="input_gain")
        self.recurrent_gain = self.add_weight((gates,), "ones", name="recurrent_gain")
        self.state_gain = self.add_weight((self.units,), "ones", name="state_gain")
        self.state_bias = self.add_weight((self.units,), "zeros", name="state_bias")

    def project(self, inputs: Any, training: bool = False) -> Any:
        """Returns a_x * N(x W) + b `(..., 4 * units)`."""
        return normalize(keras.ops.matmul(inputs, self.kernel)) * self.input_gain + self.bias

    def recur(self, output: Any) -> Any:
        """Returns h U `(..., 4 * units)`."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def gates(self, projected: Any, recurrent: Any, states: Sequence[Any]) -> dict[str, Any]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        i, f, g, o = keras.ops.split(projected + normalize(recurrent) * self.recurrent_gain, 4, axis=-1)
        sigmoid, tanh = keras.ops.sigmoid, keras.ops.tanh
        return {"input": sigmoid(i), "forget": sigmoid(f), "candidate": tanh(g), "output": sigmoid(o)}

    def update(self, projected: Any, recurrent: Any, states: Sequence[Any]) -> tuple[Any, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        return gates["output"] * keras.ops.tanh(normalize(c) * self.state_gain + self.state_bias), c

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "forget_bias": self.forget_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
