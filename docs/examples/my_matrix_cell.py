"""A cell of your own with a matrix memory: this file is all it takes.

Write `coefficients`: what each step writes into the memory, how the memory decays, and what reads it. All see the input
only, so that `rnnapps.layers.Recurrent(RetentionCell(128))` trains by matrix products over chunks of time.
"""

from __future__ import annotations

import keras

from rnnapps.cells import MatrixInputs, MatrixLinearCell


class RetentionCell(MatrixLinearCell):
    """S_t = a S_{t-1} + k_t v_t', h_t = S_t' q_t, with a fixed decay a for each head (Sun et al. 2023, RetNet)."""

    def __init__(self, units, *, heads=2, **kwargs):
        super().__init__(**kwargs)
        size = units // heads
        self.declare_memory(units, heads, size, size)

    def build(self, input_shape):
        """All weights are made here."""
        self.kernel = self.add_weight((input_shape[-1], 3 * self.units), "glorot_uniform", name="kernel")

    def coefficients(self, inputs, training=False):
        """Queries, keys and values `(..., heads, size)`, and the logarithms of the decays `(..., heads, 1)`."""
        q, k, v = keras.ops.split(keras.ops.matmul(inputs, self.kernel), 3, axis=-1)
        decays = keras.ops.log(1 - 2.0 ** -(5 + keras.ops.arange(self.heads, dtype=self.compute_dtype)))
        log_decay = keras.ops.zeros_like(q[..., : self.heads]) + decays
        return MatrixInputs(self.by_heads(q), self.by_heads(k), self.by_heads(v), log_decay[..., None])

    def get_config(self):
        """Every argument of `__init__`, so that the cell can be saved and copied."""
        return super().get_config() | {"units": self.units, "heads": self.heads}
