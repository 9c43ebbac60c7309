"""Layer-normalised gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras

from rnnapps.cells.dense import DenseCell
from rnnapps.cells.normalize import normalize
from rnnapps.types import Tensor

__all__ = ["LayerNormGRU"]


@keras.saving.register_keras_serializable(package="rnnapps")
class LayerNormGRU(DenseCell):
    """GRU with layer normalisation, Ba et al. 2016 (arXiv:1607.06450), equations 23 to 25.

        z, r = split(sigmoid(a_x * N(x_t W_zr) + b + a_h * N(h_{t-1} U_zr)))     N: mean 0, variance 1 over 2 * units
        g    = tanh(a_x * N(x_t W_g) + b + r * (a_h * N(h_{t-1} U_g) + b_g))     N: mean 0, variance 1 over units
        h_t  = (1 - z) * h_{t-1} + z * g

    States: h `(batch, units)`. Weights: kernel W `(features, 3 * units)`, recurrent_kernel U `(units, 3 * units)`,
    bias b, input_gain a_x and recurrent_gain a_h `(3 * units,)`, candidate_bias b_g `(units,)`; all in the order
    z, r, g.

    Args:
        units: size of the state.
        **kwargs: further arguments of `DenseCell`.
    """

    blocks: ClassVar[int] = 3

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs `(..., features)`."""
        super().build(input_shape)
        self.input_gain = self.add_weight((3 * self.units,), "ones", name="input_gain")
        self.recurrent_gain = self.add_weight((3 * self.units,), "ones", name="recurrent_gain")
        self.candidate_bias = self.add_weight((self.units,), "zeros", name="candidate_bias")

    def project(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Returns a_x * N(x W) + b `(..., 3 * units)`, normalised apart for the gates and the candidate."""
        return self.with_bias(self._normalize(keras.ops.matmul(inputs, self.kernel)) * self.input_gain)

    def gates(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> dict[str, Tensor]:
        """The activations of the gates and of the candidate, each `(..., units)`."""
        recurrent = self._normalize(recurrent) * self.recurrent_gain
        x_gates, x_candidate = keras.ops.split(projected, [2 * self.units], axis=-1)
        h_gates, h_candidate = keras.ops.split(recurrent, [2 * self.units], axis=-1)
        z, r = keras.ops.split(keras.ops.sigmoid(x_gates + h_gates), 2, axis=-1)
        candidate = keras.ops.tanh(x_candidate + r * (h_candidate + self.candidate_bias))
        return {"update": z, "reset": r, "candidate": candidate}

    def update(self, projected: Tensor, recurrent: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Returns the new state (h,)."""
        gates = self.gates(projected, recurrent, states)
        return (states[0] + gates["update"] * (gates["candidate"] - states[0]),)

    def _normalize(self, values: Tensor) -> Tensor:
        """N of the gates and of the candidate apart: `(..., 3 * units)` of the same shape."""
        gates, candidate = keras.ops.split(values, [2 * self.units], axis=-1)
        return keras.ops.concatenate([normalize(gates), normalize(candidate)], axis=-1)
