"""The LSTM with exponential gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.initializers import Blocks, Spread
from rnnapps.cells.matrix_linear import heads_for
from rnnapps.types import Initializer, Tensor

__all__ = ["SLSTM"]


@keras.saving.register_keras_serializable(package="rnnapps")
class SLSTM(Cell):
    """LSTM with exponential gates and a normaliser, Beck et al. 2024, "xLSTM" (arXiv:2405.04517), equations 8 to 17.

        i, f, z, o = split(x_t W + h_{t-1} U + b)                     U mixes the units of one head only
        m_t = max(log sigmoid(f) + m_{t-1}, i)                        i alone where nothing was written yet
        i', f' = exp(i - m_t), exp(log sigmoid(f) + m_{t-1} - m_t)
        c_t = f' * c_{t-1} + i' * tanh(z)
        n_t = f' * n_{t-1} + i'
        h_t = sigmoid(o) * c_t / n_t

    States: h, c, n and m, each `(batch, units)`. Weights: kernel W `(features, 4 * units)`, recurrent_kernel U `(heads,
    units / heads, 4 * units / heads)`, bias b `(4 * units,)`.

    Args:
        units: size of each state.
        heads: number of heads, a divisor of `units`; by default that which brings their size nearest to 64.
        forget_bias: initial b_f of the first and of the last unit, those between spread evenly.
        kernel_initializer: initial values of W.
        recurrent_initializer: initial values of U.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        units: int,
        *,
        heads: int | None = None,
        forget_bias: Sequence[float] = (3.0, 6.0),
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.declare_states(units, units, units, units)
        self.log_states = (3,)
        self.units, self.heads = units, heads_for(units, heads)
        self.forget_bias = [float(value) for value in forget_bias]
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        size = self.units // self.heads
        self.kernel = self.add_weight((input_shape[-1], 4 * self.units), self.kernel_initializer, name="kernel")
        shape = (self.heads, size, 4 * size)
        self.recurrent_kernel = self.add_weight(shape, self.recurrent_initializer, name="recurrent_kernel")
        blocks: list[tuple[Initializer, int]] = [
            ("zeros", self.units),
            (Spread(*self.forget_bias), self.units),
            ("zeros", 2 * self.units),
        ]
        self.bias = self.add_weight((4 * self.units,), Blocks(blocks), name="bias")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns x W + b `(..., 4 * units)`."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output: Tensor) -> Tensor:
        """Returns h U `(..., 4 * units)`."""
        leading, size = tuple(keras.ops.shape(output))[:-1], self.units // self.heads
        by_heads = keras.ops.reshape(output, (*leading, self.heads, 1, size))
        product = keras.ops.reshape(keras.ops.matmul(by_heads, self.recurrent_kernel), (*leading, self.heads, 4, size))
        return keras.ops.reshape(keras.ops.swapaxes(product, -3, -2), (*leading, 4 * self.units))

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The stabilised gates i' and f', the candidate and the output gate, each `(..., units)`."""
        return self._step(projected, recurrent, states)[0]

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new states (h, c, n, m)."""
        gates, m = self._step(projected, recurrent, states)
        c = gates["forget"] * states[1] + gates["input"] * gates["candidate"]
        n = gates["forget"] * states[2] + gates["input"]
        return gates["output"] * c / n, c, n, m

    def _step(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        """The gates, and m, the logarithm of what c and n are divided by."""
        i, f, z, o = keras.ops.split(projected + recurrent, 4, axis=-1)
        kept = keras.ops.log_sigmoid(f) + states[3]
        # With an empty memory the input's own, so that n is never 0 behind it.
        m = keras.ops.where(states[2] == 0, i, keras.ops.maximum(kept, i))
        gates = {
            "input": keras.ops.exp(i - m),
            # Above 0 only where nothing was written yet, which it then multiplies.
            "forget": keras.ops.exp(keras.ops.minimum(kept - m, 0.0)),
            "candidate": keras.ops.tanh(z),
            "output": keras.ops.sigmoid(o),
        }
        return gates, m

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {
            "units": self.units,
            "heads": self.heads,
            "forget_bias": self.forget_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
