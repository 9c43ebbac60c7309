"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.activations import activated_blocks
from rnnapps.cells.dense import DenseCell
from rnnapps.cells.initializers import OneGateConstant
from rnnapps.types import Activation, Initializer, Tensor

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
        activation: what stands as tanh above, a Keras activation.
        recurrent_activation: what stands as sigmoid above.
        forget_bias: initial bias of the forget gate; None leaves it to `bias_initializer`.
        **kwargs: further arguments of `DenseCell`.

    Attributes:
        forget_place: which of the blocks is the forget gate, from 0.
    """

    blocks: ClassVar[int] = 4
    forget_place: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        *,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        forget_bias: float | None = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.declare_states(units, units)
        self.forget_bias = forget_bias

    def make_bias(self, shape: tuple[int, ...] | None = None, initializer: Initializer | None = None) -> keras.Variable:
        """Adds the weight b, as `bias_initializer` says but for the forget gate."""
        if initializer is None and self.forget_bias is not None:
            initializer = OneGateConstant(
                self.bias_initializer, blocks=self.blocks, place=self.forget_place, value=self.forget_bias
            )
        return super().make_bias(shape, initializer)

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        total = projected + recurrent
        i, f, _, o = activated_blocks(self.recurrent_activation, total, 4)
        candidate = self.activation(total[..., 2 * self.units : 3 * self.units])
        return {"input": i, "forget": f, "candidate": candidate, "output": o}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        return gates["output"] * self.activation(c), c

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "forget_bias": self.forget_bias,
        }
