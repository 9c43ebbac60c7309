"""A cell of your own that is linear in its past: this file is all it takes.

Write `coefficients`, which sees the input only. `rnnapps.layers.Recurrent(GatedAverage(128))` then trains it without a
matrix product in the loop over time.
"""

from __future__ import annotations

import keras

from rnnapps.cells import LinearCell


class GatedAverage(LinearCell):
    """h_t = a_t * h_{t-1} + (1 - a_t) * x_t W, with a_t = sigmoid(x_t V + 2)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.declare_units(units)

    def build(self, input_shape):
        """All weights are made here."""
        self.kernel = self.add_weight((input_shape[-1], 2 * self.units), "glorot_uniform", name="kernel")

    def coefficients(self, inputs, training=False):
        """The factor of the state and what is added to it, each `(..., units)`."""
        values, gate = keras.ops.split(keras.ops.matmul(inputs, self.kernel), 2, axis=-1)
        return keras.ops.sigmoid(gate + 2.0), keras.ops.sigmoid(-gate - 2.0) * values

    def get_config(self):
        """Every argument of `__init__`, so that the cell can be saved and copied."""
        return super().get_config() | {"units": self.units}
