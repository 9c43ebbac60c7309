"""What recurrent layers are called with: types, shapes, numbers of states, empty sequences, changes between calls."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, MinGRU, Residual
from rnnapps.errors import ConfigError
from rnnapps.layers import Bidirectional, Recurrent, RecurrentStack

INPUTS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
STATE = np.ones((2, 5), np.float32)
POLICIES = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16", "float64": "float64"}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_dtype_of_a_layer_is_that_of_its_cells(policy: str) -> None:
    for layer in (
        Recurrent(Residual(LSTM(3)), dtype=policy),
        Recurrent(LSTM(3, dtype=policy)),
        Bidirectional(Recurrent(GRU(3)), dtype=policy),
        RecurrentStack([LSTM(3), GRU(2)], dtype=policy),
    ):
        outputs = tf.nest.flatten(layer(INPUTS))
        assert {tensor.dtype.name for tensor in outputs} == {POLICIES[policy]}


def test_a_built_cell_keeps_the_type_of_its_weights() -> None:
    layer = Recurrent(LSTM(3))
    layer.build(INPUTS.shape)
    with pytest.raises(ConfigError, match="built with the dtype float32, but the layer around it has float64"):
        Recurrent(layer.cell, dtype="float64")


@pytest.mark.parametrize("build", [False, True])
def test_a_single_state_may_be_bare(build: bool) -> None:
    layer = Recurrent(GRU(5))
    if build:
        layer.build(INPUTS.shape)
    np.testing.assert_array_equal(layer(INPUTS, initial_state=STATE), layer(INPUTS, initial_state=[STATE]))
    inputs, state = keras.Input((4, 3)), keras.Input((5,))
    model = keras.Model([inputs, state], layer(inputs, initial_state=state))
    np.testing.assert_allclose(model([INPUTS, STATE]), layer(INPUTS, initial_state=[STATE]), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("sequences", [False, True])
def test_masks_of_any_type(dtype: str, sequences: bool) -> None:
    layer, mask = Recurrent(GRU(5), return_sequences=sequences), np.array([[1, 1, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(layer(INPUTS, mask=mask.astype(dtype)), layer(INPUTS, mask=mask.astype(bool)))


CALLS: list[tuple[Any, dict[str, Any], str]] = [
    (INPUTS[0], {}, r"expected sequences \(batch, time, features\), got the shape \(4, 3\)"),
    (INPUTS[..., :2], {}, "built for 3 features, got sequences of 2"),
    ([INPUTS, STATE], {}, "got a list of 2 tensors; pass states as initial_state"),
    (INPUTS, {"states": [STATE, STATE, STATE]}, "expected 2 initial states, of the sizes 5, 5, got 3"),
    (INPUTS, {"states": STATE}, "expected 2 initial states, of the sizes 5, 5, got 1"),
    (INPUTS, {"states": [STATE, STATE[:, :4]]}, r"expected initial state 1 as \(2, 5\), got the shape \(2, 4\)"),
    (INPUTS, {"states": [STATE, STATE[:1]]}, r"expected initial state 1 as \(2, 5\), got the shape \(1, 5\)"),
    (INPUTS, {"states": [STATE[0], STATE]}, r"expected initial state 0 as \(2, 5\), got the shape \(5,\)"),
    (INPUTS, {"mask": np.ones((2, 3))}, r"expected a mask \(batch, time\) like sequences \(2, 4, 3\), got .* \(2, 3\)"),
    (INPUTS, {"mask": np.ones(4)}, r"expected a mask \(batch, time\) .* got the shape \(4,\)"),
]
LAYERS = {
    "recurrent": (lambda: Recurrent(LSTM(5)), "initial_state"),
    "bidirectional": (lambda: Bidirectional(Recurrent(GRU(5))), "initial_state"),
    "stack": (lambda: RecurrentStack([GRU(5), GRU(5)]), "states"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_wrong_calls_are_told_in_one_line(name: str) -> None:
    make, argument = LAYERS[name]
    layer = make()
    layer.build(INPUTS.shape)
    for sequences, options, line in CALLS:
        with pytest.raises(ConfigError, match=line) as error:
            layer(sequences, **{argument if key == "states" else key: value for key, value in options.items()})
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", [LSTM, MinGRU])
def test_no_step_leaves_the_states_as_they_are(cell: Any, reverse: bool, masked: bool) -> None:
    """A served request may hold no step; its graph knows neither batch nor time."""
    layer = Recurrent(cell(5), return_state=True, reverse=reverse)
    layer.build(INPUTS.shape)
    whole = Recurrent(layer.cell, return_sequences=True, reverse=reverse)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 3))], autograph=False)
    def run(inputs: tf.Tensor) -> tuple:
        mask = tf.fill(tf.shape(inputs)[:2], True) if masked else None
        states = [tf.fill([tf.shape(inputs)[0], size], 0.5) for size in layer.cell.state_size]
        with tf.GradientTape() as tape:
            tape.watch(states)
            outputs = layer(inputs, initial_state=states, mask=mask, training=True)
            loss = sum(tf.reduce_sum(tensor) for tensor in outputs[1:])
        return outputs, whole(inputs, initial_state=states, mask=mask), tape.gradient(loss, states)

    outputs, sequences, _ = run(tf.zeros((2, 0, 3)))
    assert sequences.shape == (2, 0, 5)
    for tensor in outputs:
        np.testing.assert_array_equal(tensor, np.full((2, 5), 0.5))
    outputs, sequences, _ = run(INPUTS)
    np.testing.assert_allclose(sequences[:, 0 if reverse else -1], outputs[0], atol=1e-6)
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-6)


def test_no_step_outside_of_functions() -> None:
    for layer in (Recurrent(GRU(5)), Recurrent(GRU(5), kernel="reference"), Bidirectional(Recurrent(MinGRU(5)))):
        outputs = layer(INPUTS[:, :0])
        np.testing.assert_array_equal(outputs, np.zeros_like(outputs))


def test_what_is_changed_between_calls_counts() -> None:
    layer = Recurrent(GRU(5), return_sequences=True)
    forwards = layer(INPUTS)
    layer.reverse = True
    np.testing.assert_allclose(layer(INPUTS[:, ::-1])[:, ::-1], forwards, atol=1e-6)
    layer.go_backwards = True
    np.testing.assert_allclose(layer(INPUTS)[:, ::-1], forwards, atol=1e-6)
    layer.go_backwards = layer.reverse = False
    np.testing.assert_array_equal(layer(INPUTS), forwards)
    layer.kernel = "xla"
    layer(INPUTS)
    assert layer.kernel_used == "xla"
