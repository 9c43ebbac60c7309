"""Linear attention by the delta rule, with a decay."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells.heads import HeadsCell
from rnnapps.cells.initializers import InverseSoftplus, LogUniform
from rnnapps.cells.normalize import unit_length
from rnnapps.kernels.matrix_step import MatrixInputs
from rnnapps.types import Nest, Tensor

__all__ = ["GatedDeltaNet"]


@keras.saving.register_keras_serializable(package="rnnapps")
class GatedDeltaNet(HeadsCell):
    """Gated DeltaNet, Yang et al. 2025 (arXiv:2412.06464), equation 10: a memory that forgets and corrects.

        q, k = swish(x_t W_q), swish(x_t W_k), each scaled to length 1
        v, b = x_t W_v, sigmoid(x_t W_b)                                          b and a one number a head
        a    = exp(-exp(A) * softplus(x_t W_a + d))
        S_t  = a S_{t-1} + b k (v - a S_{t-1}' k)'
        h_t  = swish(x_t W_r) * gain * (S_t' q, scaled to a mean square of 1)

    for each head. The short convolutions before it and the matrix behind it are left to other layers.

    States: h `(batch, units)`, S `(batch, heads, key_size, value_size)`. Weights, in the order q, k, v, r, b, a: kernel
    W `(features, 2 * heads * key_size + 2 * units + 2 * heads)`; log_rate A `(heads,)`, time_bias d `(heads,)`, gain
    `(units,)`.

    The arguments are those of `HeadsCell`.
    """

    def columns(self) -> list[int]:
        """Sizes of the blocks q, k, v, r, b, a."""
        keys = self.heads * self.key_size
        return [keys, keys, self.units, self.units, self.heads, self.heads]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`; A and d as in Mamba-2, which the paper follows."""
        super().build(input_shape)
        self.log_rate = self.add_weight((self.heads,), LogUniform(1.0, 16.0), name="log_rate")
        self.time_bias = self.add_weight((self.heads,), InverseSoftplus(0.001, 0.1), name="time_bias")
        self.gain = self.make_gain()

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Returns q, k, v, log a, b, and the open share of the output `(..., units)`."""
        q, k, v, r, b, a = self.blocks_of(keras.ops.matmul(inputs, self.kernel))
        q, k = (unit_length(keras.ops.silu(self.by_heads(part))) for part in (q, k))
        decay = -keras.ops.exp(self.log_rate) * keras.ops.softplus(a + self.time_bias)
        rest = keras.ops.silu(r)
        return MatrixInputs(q, k, self.by_heads(v), decay[..., None], beta=keras.ops.sigmoid(b), rest=rest)

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Returns the gated output `(..., units)`."""
        return inputs.rest * self.normalized(values, self.gain)
