"""The time mixing of RWKV-7."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras

from rnnapps.cells.heads import HeadsCell
from rnnapps.cells.initializers import Spread
from rnnapps.cells.normalize import normalize, unit_length
from rnnapps.kernels.matrix_step import MatrixInputs
from rnnapps.types import Nest, Tensor

__all__ = ["RWKV7"]

LEAST_LOG_DECAY = -math.exp(-0.5)
"""In a step no row of the memory decays to less than exp(-exp(-1/2)) = .545 of itself."""
FIRST_DECAYS, FIRST_REMOVAL_SCALE, SMALL = (-6.5, -1.5), 0.85, 0.1
EPSILON = 64e-5


@keras.saving.register_keras_serializable(package="rnnapps")
class RWKV7(HeadsCell):
    """Time mixing of RWKV-7, Peng et al. 2025 (arXiv:2503.14456), section 4.1: a memory that removes by its own key.

        r, k, v = x_t W_r, x_t W_k, x_t W_v
        w = exp(-exp(-1/2) * sigmoid(tanh(x_t D_w) E_w + d_w))          decay, one number a row of the memory
        a = sigmoid(x_t D_a E_a + d_a)                                  in-context learning rate, one a row
        z = k * p, scaled to length 1                                   removal key
        y = k * (1 + (a - 1) * m)                                       replacement key
        S_t = diag(w) S_{t-1} - (a * z) (S_{t-1}' z)' + y v'
        u   = sum(r * c * y) v
        h_t = (sigmoid(x_t D_g) E_g) * (gain * (S_t' r, shifted to mean 0 and variance 1) + bias + u)

    for each head; S is the transpose of the paper's. It decays by rows, removes by one key and writes by another, and
    is still computed by chunks. The mixing of each input with the one before it, the values of the lowest layer, which
    the paper blends into those above, and the matrix behind it are left to other layers.

    States: h `(batch, units)`, S `(batch, heads, key_size, value_size)`. Weights, in the order r, k, v: kernel W
    `(features, 2 * heads * key_size + units)`; decay_down, decay_up, rate_down, rate_up, gate_down, gate_up the
    factors D and E, of the authors' ranks or the sizes they lie between if one is smaller; decay_bias d_w, rate_bias
    d_a, removal_scale p, key_mix m and bonus c `(heads * key_size,)`; gain and bias `(units,)`.

    The arguments are those of `HeadsCell`.
    """

    least_log_decay = LEAST_LOG_DECAY

    def columns(self) -> list[int]:
        """Sizes of the blocks r, k, v."""
        keys = self.heads * self.key_size
        return [keys, keys, self.units]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`; first values as the authors', but those of the gate."""
        super().build(input_shape)
        features, keys = int(input_shape[-1] or 0), self.heads * self.key_size
        small, rank = keras.initializers.Orthogonal(SMALL), _rank(1.8 * keys**0.5)
        self.decay_factors = self._make_factors("decay", (features, rank, keys), "zeros", small)
        self.rate_factors = self._make_factors("rate", (features, rank, keys), "zeros", small)
        # The authors' gate begins at nearly nothing, and a matrix behind it makes up for that. Here none does.
        first, gate_rank = self.kernel_initializer, _rank(0.6 * self.units**0.8)
        self.gate_factors = self._make_factors("gate", (features, gate_rank, self.units), first, first)
        self.decay_bias = self.add_weight((keys,), Spread(*FIRST_DECAYS), name="decay_bias")
        self.rate_bias = self.add_weight((keys,), "zeros", name="rate_bias")
        scale = keras.initializers.Constant(FIRST_REMOVAL_SCALE)
        self.removal_scale = self.add_weight((keys,), scale, name="removal_scale")
        self.key_mix = self.add_weight((keys,), "ones", name="key_mix")
        self.bonus = self.add_weight((keys,), "zeros", name="bonus")
        self.gain = self.make_gain()
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def _make_factors(self, name: str, sizes: tuple[int, int, int], *first: Nest) -> list[keras.Variable]:
        """Adds the two matrices of a product of low rank: `(features, rank)` and `(rank, size)`."""
        rows, rank, columns = sizes
        rank = min(sizes)
        shapes = [(rows, rank), (rank, columns)]
        return [
            self.add_weight(shape, initializer, name=f"{name}_{part}")
            for part, shape, initializer in zip(("down", "up"), shapes, first, strict=True)
        ]

    def coefficients(self, inputs: Tensor, training: bool = False) -> MatrixInputs:
        """Returns r, y, v, log w, z and a, and the gate and u, each `(..., units)`."""
        r, k, v = self.blocks_of(keras.ops.matmul(inputs, self.kernel))
        down, up = self.decay_factors
        decay = keras.ops.matmul(keras.ops.tanh(keras.ops.matmul(inputs, down)), up) + self.decay_bias
        down, up = self.rate_factors
        rate = keras.ops.sigmoid(keras.ops.matmul(keras.ops.matmul(inputs, down), up) + self.rate_bias)
        down, up = self.gate_factors
        gate = keras.ops.matmul(keras.ops.sigmoid(keras.ops.matmul(inputs, down)), up)
        key, values = k * (1 + (rate - 1) * self.key_mix), self.by_heads(v)
        at_once = keras.ops.sum(self.by_heads(r * self.bonus * key), axis=-1, keepdims=True) * values
        return MatrixInputs(
            self.by_heads(r),
            self.by_heads(key),
            values,
            self.by_heads(LEAST_LOG_DECAY * keras.ops.sigmoid(decay)),
            removal=unit_length(self.by_heads(k * self.removal_scale)),
            rate=self.by_heads(rate),
            rest=(gate, self.side_by_side(at_once)),
        )

    def read(self, values: Tensor, inputs: MatrixInputs, log_scale: Nest = ()) -> Tensor:
        """Returns the gated output `(..., units)`."""
        gate, at_once = inputs.rest
        return gate * (self.side_by_side(normalize(values, EPSILON)) * self.gain + self.bias + at_once)


def _rank(wanted: float) -> int:
    """The authors' rank: the nearest multiple of 32, at least 32."""
    return max(32, 32 * round(wanted / 32))
