"""A recurrent cell of your own that reads what stays the same over a sequence: this file is all it takes.

Define `constants`, and `update` gets what it returns as a fourth argument: here what is looked up in the outputs of an
encoder. `rnnapps.layers.Recurrent(AttentiveRNN(128))(sequences, constants=(encoded, valid))` trains it; nothing of the
memory is stored for each step, and its gradient is summed over the steps.
"""

from __future__ import annotations

import keras

from rnnapps.cells import Cell


class AttentiveRNN(Cell):
    """h_t = tanh(x_t W + h_{t-1} U + c_t + b), where c_t is read from a memory M by attention (Luong et al. 2015).

    c_t = sum of softmax((M K) (h_{t-1} Q)) over the places of M, times their M V
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units = units

    def build(self, inputs_shape, constants_shape):
        """All weights are made here; the second argument holds the shapes of the constants."""
        memory_shape, _ = constants_shape
        self.kernel = self.add_weight((inputs_shape[-1], self.units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, 2 * self.units), "glorot_uniform", name="recurrent_kernel")
        self.memory_kernel = self.add_weight((memory_shape[-1], 2 * self.units), "glorot_uniform", name="memory_kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def constants(self, memory):
        """Keys and values of all places `(batch, places, units)`, once a sequence, and which places are valid."""
        encoded, valid = memory
        keys, values = keras.ops.split(keras.ops.matmul(encoded, self.memory_kernel), 2, axis=-1)
        return keys, values, valid

    def project(self, inputs, training=False):
        """What depends on the input only `(..., features)`: computed for all time steps at once."""
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def recur(self, output):
        """The previous output through U and through Q, side by side: one matrix product a step."""
        return keras.ops.matmul(output, self.recurrent_kernel)

    def update(self, projected, recurrent, states, constants):
        """Everything else; returns the new states, the output first."""
        keys, values, valid = constants
        past, query = keras.ops.split(recurrent, 2, axis=-1)
        scores = keras.ops.squeeze(keras.ops.matmul(keys, query[..., None]), -1)
        weights = keras.ops.softmax(keras.ops.where(valid, scores, -1e9))
        read = keras.ops.squeeze(keras.ops.matmul(weights[..., None, :], values), -2)
        return (keras.ops.tanh(projected + past + read),)

    def get_config(self):
        """Every argument of `__init__`, so that the cell can be saved and copied."""
        return super().get_config() | {"units": self.units}
