"""The quasi-recurrent network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.types import Initializer, Tensor

__all__ = ["QRNN"]


@keras.saving.register_keras_serializable(package="rnnapps")
class QRNN(Cell):
    """Quasi-recurrent network, Bradbury et al. 2016 (arXiv:1611.01576), section 2.1, window of 2 and fo-pooling.

        z, f, o = split(x_t W + x_{t-1} V + b)
        c_t = sigmoid(f) * c_{t-1} + (1 - sigmoid(f)) * tanh(z)
        h_t = sigmoid(o) * c_t

    States: h and c, each `(batch, units)`, and x_t V, which the next step reads, `(batch, 3 * units)`. Weights: kernel
    W `(features, 3 * units)`, previous_kernel V `(features, 3 * units)`, bias b `(3 * units,)`.

    Args:
        units: size of the output.
        kernel_initializer: initial values of W and V.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, units: int, *, kernel_initializer: Initializer = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)  # what is no number is named before it is multiplied
        self.declare_states(units, units, 3 * units)
        self.units, self.kernel_initializer = units, keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        shape = (input_shape[-1], 3 * self.units)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.previous_kernel = self.add_weight(shape, self.kernel_initializer, name="previous_kernel")
        self.bias = self.add_weight((3 * self.units,), "zeros", name="bias")

    def project(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Returns x W + b and x V, each `(..., 3 * units)`."""
        return (
            keras.ops.matmul(inputs, self.kernel) + self.bias,
            keras.ops.matmul(inputs, self.previous_kernel),
        )

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: the past enters only element by element."""
        return ()

    def gates(
        self, projected: tuple[Tensor, Tensor], recurrent: tuple[()], states: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        z, f, o = keras.ops.split(projected[0] + states[2], 3, axis=-1)
        return {"forget": keras.ops.sigmoid(f), "candidate": keras.ops.tanh(z), "output": keras.ops.sigmoid(o)}

    def update(
        self, projected: tuple[Tensor, Tensor], recurrent: tuple[()], states: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Returns the new states (h, c, x V)."""
        gates = self.gates(projected, recurrent, states)
        c = gates["candidate"] + gates["forget"] * (states[1] - gates["candidate"])
        return gates["output"] * c, c, projected[1]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
