"""The LSTM with a matrix memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras

from rnnapps.cells.heads import HeadsCell
from rnnapps.cells.initializers import Blocks, Spread
from rnnapps.kernels.matrix_step import MatrixInputs
from rnnapps.types import Nest, Tensor

__all__ = ["MLSTM"]

LARGEST_EXPONENT = 80.0


@keras.saving.register_keras_serializable(package="rnnapps")
class MLSTM(HeadsCell):
    """LSTM with a matrix memory, Beck et al. 2024, "xLSTM" (arXiv:2405.04517), equations 19 to 27.

        q, k, v = x_t W_q + b_q, (x_t W_k + b_k) / sqrt(key_size), x_t W_v + b_v
        i, f, o = exp(x_t W_i + b_i), sigmoid(x_t W_f + b_f), sigmoid(x_t W_o + b_o)     i and f one number a head
        C_t = f C_{t-1} + i k v'
        n_t = f n_{t-1} + i k
        h_t = o * C_t' q / max(|n_t' q|, 1)

    for each head. The states are kept divided by exp(m_t), m_t = max(log f + m_{t-1}, log i): nothing overflows.

    States: h `(batch, units)`, C and in its last column n `(batch, heads, key_size, value_size + 1)`, m `(batch,
    heads)`. Weights, in the order q, k, v, o, i, f: kernel W `(features, 2 * heads * key_size + 2 * units + 2 *
    heads)`, bias b.

    Args:
        units: size of the output.
        forget_bias: initial b_f of the first and of the last head, those between spread evenly, as the authors do.
        **kwargs: further arguments of `HeadsCell`.
    """

    scaled: ClassVar[bool] = True

    def __init__(self, units: int, *, forget_bias: Sequence[float] = (3.0, 6.0), **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.forget_bias = [float(value) for value in forget_bias]

    def columns(self) -> list[int]:
        """Sizes of the blocks q, k, v, o, i, f."""
        keys = self.heads * self.key_size
        return [keys, keys, self.units, self.units, self.heads, self.heads]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        *others, forget = self.columns()
        initializer = Blocks([("zeros", sum(others)), (Spread(*self.forget_bias), forget)])
        self.bias = self.add_weight((sum(self.columns()),), initializer, name="bias")

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Returns q, k, v with a column of ones, log f, log i, and o `(..., units)`."""
        q, k, v, o, i, f = self.blocks_of(keras.ops.matmul(inputs, self.kernel) + self.bias)
        values = self.by_heads(v)
        return MatrixInputs(
            self.by_heads(q),
            self.by_heads(k) / self.key_size**0.5,
            keras.ops.concatenate([values, keras.ops.ones_like(values[..., :1])], axis=-1),
            keras.ops.log_sigmoid(f)[..., None],
            log_input=i,
            rest=keras.ops.sigmoid(o),
        )

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Returns the normalised and gated output `(..., units)`."""
        # Beyond the limit the memory is as good as empty, and its output nothing.
        one = keras.ops.exp(keras.ops.minimum(-log_scale, LARGEST_EXPONENT))
        norm = keras.ops.maximum(keras.ops.abs(values[..., -1]), one)
        return inputs.rest * self.side_by_side(values[..., :-1] / norm[..., None])

    def gates(self, projected: MatrixInputs, recurrent: tuple[()], states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The decay of the memory `(..., heads)` and the open share of the output `(..., units)`."""
        return super().gates(projected, recurrent, states) | {"output": projected.rest}

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return super().get_config() | {"forget_bias": self.forget_bias}
