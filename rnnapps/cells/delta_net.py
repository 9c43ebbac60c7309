"""Linear attention by the delta rule."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells.heads import HeadsCell
from rnnapps.cells.normalize import unit_length
from rnnapps.kernels.matrix_step import MatrixInputs
from rnnapps.types import Nest, Tensor

__all__ = ["DeltaNet"]


@keras.saving.register_keras_serializable(package="rnnapps")
class DeltaNet(HeadsCell):
    """DeltaNet, Yang et al. 2024 (arXiv:2406.06484), equation 1: a memory that corrects what it holds under a key.

        q, k = swish(x_t W_q), swish(x_t W_k), each scaled to length 1
        v, b = x_t W_v, sigmoid(x_t W_b)                                          b one number a head
        S_t  = S_{t-1} + b k (v - S_{t-1}' k)'
        h_t  = gain * (S_t' q, scaled to a mean square of 1)

    for each head, after Schlag et al. 2021 (arXiv:2102.11174). The short convolutions before it and the matrix behind
    it are left to other layers.

    States: h `(batch, units)`, S `(batch, heads, key_size, value_size)`. Weights, in the order q, k, v, b: kernel W
    `(features, 2 * heads * key_size + units + heads)`; gain `(units,)`.

    The arguments are those of `HeadsCell`.
    """

    def columns(self) -> list[int]:
        """Sizes of the blocks q, k, v, b."""
        keys = self.heads * self.key_size
        return [keys, keys, self.units, self.heads]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        self.gain = self.make_gain()

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Returns q, k, v, the logarithm of a decay of 1, and b."""
        q, k, v, b = self.blocks_of(keras.ops.matmul(inputs, self.kernel))
        q, k = (unit_length(keras.ops.silu(self.by_heads(part))) for part in (q, k))
        return MatrixInputs(q, k, self.by_heads(v), keras.ops.zeros_like(b)[..., None], beta=keras.ops.sigmoid(b))

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Returns the scaled output `(..., units)`."""
        return self.normalized(values, self.gain)
