"""The state-space model of Mamba-2."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from rnnapps.cells.heads import HeadsCell
from rnnapps.cells.initializers import InverseSoftplus, LogUniform
from rnnapps.cells.normalize import rms_normalize
from rnnapps.kernels.matrix_step import MatrixInputs
from rnnapps.types import Nest, Tensor

__all__ = ["Mamba2"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Mamba2(HeadsCell):
    """Selective state-space model with one decay a head, Dao & Gu 2024, "Mamba-2" (arXiv:2405.21060), section 7.

        u, B, C = swish(x_t W_u), swish(x_t W_B), swish(x_t W_C)        u one vector a head, B and C the same for all
        s   = softplus(x_t W_s + d)                                     how long the step lasts, one number a head
        S_t = exp(-exp(A) s) S_{t-1} + s B u'
        h_t = gain * ((S_t' C + D u) * swish(x_t W_z), scaled to a mean square of 1)

    The short convolution before it and the matrix behind it are left to other layers.

    States: h `(batch, units)`, S `(batch, heads, key_size, value_size)`. Weights, in the order u, z, B, C, s: kernel W
    `(features, 2 * units + 2 * key_size + heads)`; log_rate A `(heads,)`, time_bias d `(heads,)`, skip D `(heads, 1)`,
    gain `(units,)`.

    The arguments are those of `HeadsCell`; `key_size` is the paper's state size N.
    """

    def columns(self) -> list[int]:
        """Sizes of the blocks u, z, B, C, s."""
        return [self.units, self.units, self.key_size, self.key_size, self.heads]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        self.log_rate = self.add_weight((self.heads,), LogUniform(1.0, 16.0), name="log_rate")
        self.time_bias = self.add_weight((self.heads,), InverseSoftplus(0.001, 0.1), name="time_bias")
        self.skip = self.add_weight((self.heads, 1), "ones", name="skip")
        self.gain = self.make_gain()

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Returns C, B, s u, the logarithm of the decay, and D u and swish(z), each `(..., units)`."""
        u, z, b, c, s = self.blocks_of(keras.ops.matmul(inputs, self.kernel))
        u, (b, c) = self.by_heads(keras.ops.silu(u)), (self._for_all(keras.ops.silu(part)) for part in (b, c))
        lasting = keras.ops.softplus(s + self.time_bias)[..., None]
        decay = -keras.ops.exp(self.log_rate)[..., None] * lasting
        rest = (self.side_by_side(self.skip * u), keras.ops.silu(z))
        return MatrixInputs(c, b, lasting * u, decay, rest=rest)

    def _for_all(self, values: Tensor) -> Tensor:
        """The same `(..., key_size)` for all heads."""
        return keras.ops.repeat(values[..., None, :], self.heads, axis=-2)

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Returns the gated and scaled output `(..., units)`."""
        skipped, z = inputs.rest
        return rms_normalize((self.side_by_side(values) + skipped) * z) * self.gain
