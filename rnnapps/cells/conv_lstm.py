"""The LSTM of maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.initializers import GateConstants
from rnnapps.cells.maps import MapCell
from rnnapps.types import Tensor

__all__ = ["ConvLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class ConvLSTM(MapCell):
    """Convolutional LSTM, Shi et al. 2015 (arXiv:1506.04214), equation 3, without its peepholes, as in Keras.

        i, f, g, o = split(x_t * W + h_{t-1} * U + b)                     * a convolution
        c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
        h_t = sigmoid(o) tanh(c_t)

    States: h and c, flat maps `(batch, places * filters)` each. Weights as in Keras's `ConvLSTM2D` and `ConvLSTM1D`.

    Args:
        filters: numbers of a state at each place.
        map_shape: places of a map, `(height, width)`, or `(length,)` of a line.
        forget_bias: initial bias of the forget gate.
        **kwargs: further arguments of `MapCell`.
    """

    blocks: ClassVar[int] = 4

    def __init__(self, filters: int, map_shape: Sequence[int], *, forget_bias: float = 1.0, **kwargs: Any) -> None:
        super().__init__(filters, map_shape, **kwargs)
        self.declare_states(self.output_size, self.output_size)
        self.forget_bias = float(forget_bias)

    def make_bias(self) -> keras.Variable:
        """Adds the bias."""
        return self.add_weight((4 * self.filters,), GateConstants([0, self.forget_bias, 0, 0]), name="bias")

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each a flat map."""
        i, f, g, o = keras.ops.split(projected + recurrent, 4, axis=-1)
        gates = {
            name: self.flat(keras.ops.sigmoid(part)) for name, part in (("input", i), ("forget", f), ("output", o))
        }
        return gates | {"candidate": self.flat(keras.ops.tanh(g))}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        return gates["output"] * keras.ops.tanh(c), c

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"forget_bias": self.forget_bias}
