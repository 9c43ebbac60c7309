"""The simple recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.types import Activation, Tensor

__all__ = ["SimpleRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class SimpleRNN(DenseCell):
    """Simple (Elman) recurrent network, Elman 1990, "Finding structure in time".

        h_t = f(x_t W_xh + h_{t-1} W_hh + b_h)

    States: h `(batch, units)`. Weights, as in `keras.layers.SimpleRNN`: kernel W_xh `(features, units)`,
    recurrent_kernel W_hh `(units, units)`, bias b_h `(units,)`.

    Args:
        units: size of the state.
        activation: f, a Keras activation.
        **kwargs: further arguments of `DenseCell`.
    """

    def __init__(self, units: int, *, activation: Activation = "tanh", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        return (self.activation(projected + recurrent),)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"activation": keras.activations.serialize(self.activation)}
