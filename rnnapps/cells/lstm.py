"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.cells.initializers import GateConstants
from rnnapps.types import Initializer, Tensor

__all__ = ["LSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LSTM(DenseCell):
    """Long short-term memory with a forget gate, Hochreiter & Schmidhuber 1997 and Gers et al. 2000.

        i, f, g, o = split(x_t W + h_{t-1} U + b)
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
        h_t = sigmoid(o) * tanh(c_t)

    States: h and c, each `(batch, units)`. Weights, as in `keras.layers.LSTM`: kernel W `(features, 4 * units)`,
    recurrent_kernel U `(units, 4 * units)`, bias b `(4 * units,)`.

    Args:
        units: size of each state.
        forget_bias: initial bias of the forget gate.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of U.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    blocks: ClassVar[int] = 4

    def __init__(
        self,
        units: int,
        *,
        forget_bias: float = 1.0,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units, kernel_initializer=kernel_initializer, recurrent_initializer=recurrent_initializer, **kwargs
        )
        self.declare_states(units, units)
        self.forget_bias = forget_bias

    def make_bias(self) -> keras.Variable:
        """Adds the weight b, zeros but for the forget gate."""
        values = GateConstants([0.0, self.forget_bias, 0.0, 0.0])
        return self.add_weight((4 * self.units,), values, name="bias")

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        total = projected + recurrent
        # One pass over the whole row, a quarter of it for nothing: XLA computes slices of it several times, and slower.
        i, f, _, o = keras.ops.split(keras.ops.sigmoid(total), 4, axis=-1)
        candidate = keras.ops.tanh(total[..., 2 * self.units : 3 * self.units])
        return {"input": i, "forget": f, "candidate": candidate, "output": o}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        return gates["output"] * keras.ops.tanh(c), c

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"forget_bias": self.forget_bias}
