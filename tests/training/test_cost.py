from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import make_cell
from rnnapps.config import RecurrentConfig
from rnnapps.layers.stack import recurrent_stack
from rnnapps.training.cost import cell_cost, count_operations, count_parameters, recurrent_memory
from rnnapps.training.finetune import freeze

BATCH, TIME, FEATURES, UNITS = 3, 7, 5, 4


def network_of(cell: str, *, layers: int = 1, units: int = UNITS, features: int = FEATURES) -> keras.Model:
    values = keras.Input((None, features), name="values")
    stack = recurrent_stack(RecurrentConfig(cell=cell, units=units, layers=layers), name="stack")
    states = [keras.Input((size,), name=f"state_{number}") for number, size in enumerate(stack.state_sizes)]
    hidden, final = stack(values, states)
    outputs = {"outputs": keras.layers.Dense(2, name="head")(hidden), "states": final}
    return keras.Model({"values": values, "states": states}, outputs)


def batch(batch_size: int = BATCH, time: int = TIME, features: int = FEATURES) -> dict[str, Any]:
    return {"values": np.ones((batch_size, time, features), "float32")}


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("simple_rnn", 1)])
def test_operations_of_the_matrix_products_by_hand(cell: str, gates: int) -> None:
    parts = {part.part: part for part in count_operations(network_of(cell), batch())}
    steps = BATCH * TIME
    assert parts["stack/layer_0: input"].matrix == 2 * steps * FEATURES * gates * UNITS
    assert parts["stack/layer_0: recurrence"].matrix == 2 * steps * UNITS * gates * UNITS
    assert parts["outside recurrent layers"].matrix == 2 * steps * UNITS * 2
    assert all(part.uncounted_loops == 0 for part in parts.values())
    assert all(part.training == 3 * (part.matrix + part.elementwise) for part in parts.values())


def test_elementwise_operations_of_the_lstm_by_hand() -> None:
    """A step adds both sides (4), applies sigmoid to the row (4), tanh to g and c, multiplies 3 times and adds once."""
    parts = {part.part: part for part in count_operations(network_of("lstm"), batch())}
    assert parts["stack/layer_0: input"].elementwise == BATCH * TIME * 4 * UNITS  # the bias
    assert parts["stack/layer_0: recurrence"].elementwise == BATCH * TIME * UNITS * (4 + 4 + 2 + 3 + 1)
    assert parts["outside recurrent layers"].elementwise == BATCH * TIME * 2


def test_operations_agree_with_the_profiler_of_tensorflow() -> None:
    """One time step has no loop, so TensorFlow's own profiler can count its matrix products."""
    network = network_of("lstm", units=32, features=16)
    inputs = batch(2, 1, 16)
    cell = network.get_layer("stack").cells[0]
    step = tf.function(lambda x, h, c: cell.update(cell.project(x), cell.recur(h), [h, c]))
    specs = [tf.TensorSpec((2, size)) for size in (16, 32, 32)]
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profiled = tf.compat.v1.profiler.profile(step.get_concrete_function(*specs).graph, cmd="op", options=options)
    inside = [part for part in count_operations(network, inputs) if part.part.startswith("stack")]
    assert sum(part.matrix for part in inside) == _profiled_operations(profiled, "MatMul")


def _profiled_operations(profiled: Any, name: str) -> int:
    """Operations of one type; the profiler's view by type is a chain of nodes."""
    node = profiled
    while node.name != name:
        node = node.children[0]
    return int(node.float_ops)


def test_parameters_by_hand() -> None:
    network = network_of("lstm", layers=2)
    network.get_layer("head").trainable = False
    counts = {count.layer: (count.trainable, count.frozen) for count in count_parameters(network)}
    first = 4 * UNITS * (FEATURES + UNITS + 1)
    second = 4 * UNITS * (UNITS + UNITS + 1)
    assert sorted(counts.values()) == sorted([(first, 0), (second, 0), (0, UNITS * 2 + 2)])
    assert sum(map(sum, counts.values())) == network.count_params()


def test_running_statistics_are_neither_trained_nor_frozen() -> None:
    network = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)])
    assert [dataclasses.astuple(count)[1:] for count in count_parameters(network)] == [(6, 0, 6), (8, 0, 0)]
    assert freeze(network, []) == []
    assert len(freeze(network, ["batch_normalization*"])) == 2
    assert [dataclasses.astuple(count)[1:] for count in count_parameters(network)] == [(0, 6, 6), (8, 0, 0)]


def test_kept_memory_by_hand() -> None:
    first, second = recurrent_memory(network_of("lstm", layers=2), batch())
    step = BATCH * TIME * 4  # bytes of one float32 each
    assert (first.states, first.projected, first.recurrent) == (2 * UNITS * step, 4 * UNITS * step, 4 * UNITS * step)
    assert first.total == second.total == 10 * UNITS * step


def test_cell_cost() -> None:
    """By hand: a step of an LSTM with 3 inputs and 2 units, and of a memory of 2 by 2 that the delta rule corrects."""
    cost = cell_cost(make_cell("lstm", 2), features=3)
    assert (cost.state, cost.parameters) == (4, 3 * 8 + 2 * 8 + 8)
    products = 2 * (3 * 8 + 2 * 8)
    assert products < cost.operations < products + 60
    cost = cell_cost(make_cell("delta_net", 2), features=3)
    assert (cost.state, cost.parameters) == (2 + 2 * 2, 3 * 7 + 2)
    products = 2 * (3 * 7 + 2 * 2 + 2 * 2)  # the kernel, what the key reads, what the query reads
    assert products < cost.operations < products + 100
