from __future__ import annotations

import sys

import keras
import numpy as np
import pytest

from rnnapps.config import RecurrentConfig
from rnnapps.layers.stack import recurrent_stack
from rnnapps.training.cost import recurrent_memory
from rnnapps.training.step_memory import measure_step_memory


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak of a process")
def test_measured_memory_is_a_small_multiple_of_what_the_shapes_say() -> None:
    values = keras.Input((None, 16), name="values")
    stack = recurrent_stack(RecurrentConfig(cell="gru", units=128))
    states = [keras.Input((size,), name=f"state_{number}") for number, size in enumerate(stack.state_sizes)]
    hidden, final = stack(values, states)
    network = keras.Model({"values": values, "states": states}, {"outputs": hidden, "states": final})
    inputs = {"values": np.zeros((64, 200, 16), "float32")}
    [kept] = recurrent_memory(network, inputs)
    measured = measure_step_memory(network, inputs)
    assert measured is not None
    assert kept.total < measured < 4 * kept.total


class Unshared(keras.layers.Layer):
    """A layer that no other process can load."""

    def call(self, inputs: object) -> object:
        return inputs


@pytest.mark.slow
def test_a_network_that_no_other_process_can_load_is_not_measured() -> None:
    values = keras.Input((3, 2), name="values")
    hidden, _ = recurrent_stack(RecurrentConfig(cell="gru", units=2))(Unshared()(values))
    network = keras.Model({"values": values}, {"outputs": hidden})
    assert measure_step_memory(network, {"values": np.zeros((1, 3, 2), "float32")}) is None
