"""The simple recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.types import Initializer, Tensor

__all__ = ["SRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class SRU(Cell):
    """Simple recurrent unit, Lei et al. 2018 (arXiv:1709.02755), equations 1 to 4: no matrix product in the loop.

        u, f, r, s = split(x_t W)
        f   = sigmoid(f + v_f * c_{t-1} + b_f)
        r   = sigmoid(r + v_r * c_{t-1} + b_r)
        c_t = f * c_{t-1} + (1 - f) * u
        h_t = r * c_t + (1 - r) * s

    States: h and c, each `(batch, units)`. Weights: kernel W `(features, 4 * units)`, whose last block is what the
    paper puts in place of x_t where it has another size than c; state_kernel v `(2 * units,)`, bias b `(2 * units,)`.

    Args:
        units: size of each state.
        kernel_initializer: initial values of W.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, units: int, *, kernel_initializer: Initializer = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.declare_states(units, units)
        self.units, self.kernel_initializer = units, keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`; v starts between -1 and 1, as the authors have it."""
        self.kernel = self.add_weight((input_shape[-1], 4 * self.units), self.kernel_initializer, name="kernel")
        within_1 = keras.initializers.RandomUniform(-1.0, 1.0)
        self.state_kernel = self.add_weight((2 * self.units,), within_1, name="state_kernel")
        self.bias = self.add_weight((2 * self.units,), "zeros", name="bias")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns x W `(..., 4 * units)`."""
        return keras.ops.matmul(inputs, self.kernel)

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: the past enters only element by element."""
        return ()

    def gates(self, projected: Tensor, recurrent: tuple[()], states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates, each `(..., units)`."""
        before = keras.ops.concatenate([states[1], states[1]], axis=-1)
        total = projected[..., self.units : 3 * self.units] + self.state_kernel * before + self.bias
        forget, highway = keras.ops.split(keras.ops.sigmoid(total), 2, axis=-1)
        return {"forget": forget, "highway": highway}

    def update(self, projected: Tensor, recurrent: tuple[()], states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c)."""
        gates = self.gates(projected, recurrent, states)
        candidate, skipped = projected[..., : self.units], projected[..., 3 * self.units :]
        c = candidate + gates["forget"] * (states[1] - candidate)
        return skipped + gates["highway"] * (c - skipped), c

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
