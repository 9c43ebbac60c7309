"""Long short-term memory with one gate for taking in and forgetting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.cells.initializers import OneGateConstant
from rnnapps.types import Initializer, Tensor

__all__ = ["CoupledLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class CoupledLSTM(DenseCell):
    """LSTM whose input gate is what its forget gate leaves, Greff et al. 2017 (arXiv:1503.04069), section III ("CIFG").

        f, g, o = split(x_t W + h_{t-1} U + b)
        c_t = sigmoid(f) * c_{t-1} + (1 - sigmoid(f)) * tanh(g)
        h_t = sigmoid(o) * tanh(c_t)

    States: h and c, each `(batch, units)`. Weights: kernel W `(features, 3 * units)`, recurrent_kernel U `(units, 3 *
    units)`, bias b `(3 * units,)`.

    Args:
        units: size of each state.
        forget_bias: initial bias of the forget gate; None leaves it to `bias_initializer`.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 3

    def __init__(self, units: int, *, forget_bias: float | None = 1.0, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.declare_states(units, units)
        self.forget_bias = forget_bias

    def make_bias(self, shape: tuple[int, ...] | None = None, initializer: Initializer | None = None) -> keras.Variable:
        """Adds the weight b, as `bias_initializer` says but for the forget gate."""
        if initializer is None and self.forget_bias is not None:
            initializer = OneGateConstant(self.bias_initializer, blocks=3, place=0, value=self.forget_bias)
        return super().make_bias(shape, initializer)

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        f, g, o = keras.ops.split(projected + recurrent, 3, axis=-1)
        return {"forget": keras.ops.sigmoid(f), "candidate": keras.ops.tanh(g), "output": keras.ops.sigmoid(o)}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["candidate"] + gates["forget"] * (states[1] - gates["candidate"])
        return gates["output"] * keras.ops.tanh(c), c

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"forget_bias": self.forget_bias}
