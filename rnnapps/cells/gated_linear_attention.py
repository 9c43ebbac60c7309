"""Gated linear attention."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells.heads import HeadsCell
from rnnapps.kernels.matrix_step import MatrixInputs
from rnnapps.types import Nest, Tensor

__all__ = ["GatedLinearAttention"]

RANK, TEMPERATURE = 16, 16.0


@keras.saving.register_keras_serializable(package="rnnapps")
class GatedLinearAttention(HeadsCell):
    """Gated linear attention, Yang et al. 2024 (arXiv:2312.06635), section 4: a memory whose rows decay by themselves.

        q, k, v = x_t W_q / sqrt(key_size), x_t W_k, x_t W_v
        a   = sigmoid(x_t D E + d) ** (1 / 16)                      D, E of rank 16 at most
        S_t = diag(a) S_{t-1} + k v'
        h_t = swish(x_t W_r + b) * gain * (S_t' q, scaled to a mean square of 1)

    for each head. The matrix that mixes the heads in the paper is left to the layer that follows.

    States: h `(batch, units)`, S `(batch, heads, key_size, value_size)`. Weights, in the order q, k, v, r: kernel W
    `(features, 2 * heads * key_size + 2 * units)`; decay_down D `(features, rank)`, decay_up E `(rank, heads *
    key_size)`, decay_bias d `(heads * key_size,)`, output_bias b `(units,)`, gain `(units,)`.

    The arguments are those of `HeadsCell`.
    """

    def columns(self) -> list[int]:
        """Sizes of the blocks q, k, v, r."""
        keys = self.heads * self.key_size
        return [keys, keys, self.units, self.units]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        features, keys = int(input_shape[-1] or 0), self.heads * self.key_size
        rank = min(RANK, features, keys)
        self.decay_down = self.add_weight((features, rank), self.kernel_initializer, name="decay_down")
        self.decay_up = self.add_weight((rank, keys), self.kernel_initializer, name="decay_up")
        self.decay_bias = self.add_weight((keys,), "zeros", name="decay_bias")
        self.output_bias = self.add_weight((self.units,), "zeros", name="output_bias")
        self.gain = self.make_gain()

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Returns q, k, v, the logarithms of the decays, and the open share of the output `(..., units)`."""
        q, k, v, r = self.blocks_of(keras.ops.matmul(inputs, self.kernel))
        decay = keras.ops.matmul(keras.ops.matmul(inputs, self.decay_down), self.decay_up) + self.decay_bias
        return MatrixInputs(
            self.by_heads(q) / self.key_size**0.5,
            self.by_heads(k),
            self.by_heads(v),
            self.by_heads(keras.ops.log_sigmoid(decay) / TEMPERATURE),
            rest=keras.ops.silu(r + self.output_bias),
        )

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Returns the gated output `(..., units)`."""
        return inputs.rest * self.normalized(values, self.gain)
