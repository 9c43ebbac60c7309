"""A recurrent cell of your own: this file is all it takes.

Write what depends on the input only (`project`), what the previous output enters linearly (`recur`) and the rest
(`update`). `rnnapps.layers.Recurrent(LeakyRNN(128))` then trains it with the same fused kernel as the built-in cells,
and `rnnapps.testing.check_cell(LeakyRNN(4))` tests it.
"""

from __future__ import annotations

import keras

from rnnapps.cells import Cell


class LeakyRNN(Cell):
    """h_t = (1 - a) * h_{t-1} + a * tanh(x_t W + h_{t-1} U + b), the leak a in (0, 1) learned for every unit."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units = units

    def build(self, input_shape):
        """All weights are made here."""
        self.kernel = self.add_weight((input_shape[-1], self.units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, self.units), "orthogonal", name="recurrent_kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")
        self.leak = self.add_weight((self.units,), "zeros", name="leak")

    def project(self, inputs, training=False):
        """What depends on the input only `(..., features)`: computed for all time steps at once."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output):
        """What the previous output `(..., units)` enters linearly: one matrix product a step."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def update(self, projected, recurrent, states):
        """Everything else, each row on its own; returns the new states, the output first."""
        leak = keras.ops.sigmoid(self.leak)
        return ((1 - leak) * states[0] + leak * keras.ops.tanh(projected + recurrent),)

    def get_config(self):
        """Every argument of `__init__`, so that the cell can be saved and copied."""
        return super().get_config() | {"units": self.units}
