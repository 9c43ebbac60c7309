"""What stays the same over a sequence: it reaches every step by every kernel, and its gradient is summed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps import Bidirectional, Recurrent, RecurrentStack, cells
from rnnapps.errors import ConfigError
from tests.testing.test_check_cell import example

AttentiveRNN = example("my_attention_cell").AttentiveRNN
ROWS, STEPS, PLACES, FEATURES, UNITS = 3, 5, 11, 2, 4


class Scaled(cells.Cell):
    """h_t = h_{t-1} + c * x_t."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.declare_states(units)
        self.units = units

    def build(self, inputs_shape: Any, constants_shape: Any) -> None:
        self.built = True

    def constants(self, memory: Any) -> Any:
        return memory

    def project(self, inputs: Any, training: bool = False) -> Any:
        return inputs

    def recur(self, output: Any) -> Any:
        return ()

    def update(self, projected: Any, recurrent: Any, states: Any, constants: Any) -> Any:
        return (states[0] + constants * projected,)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units}


def normal(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(len(shape)).normal(size=shape), tf.float32)


def memory() -> tuple[tf.Tensor, tf.Tensor]:
    return normal(ROWS, PLACES, 3), tf.constant(np.arange(PLACES) < np.array([[PLACES], [4], [1]]))


def attentive() -> AttentiveRNN:
    keras.utils.set_random_seed(1)
    cell = AttentiveRNN(UNITS)
    cell.build((None, FEATURES), ((None, PLACES, 3), (None, PLACES)))
    return cell


def differentiated(cell: cells.Cell, mask: tf.Tensor | None, **options: Any) -> list[np.ndarray]:
    """Outputs, final states, and the gradients of inputs, of the memory and of weights."""
    layer = Recurrent(cell, return_sequences=True, return_state=True, **options)
    inputs, (encoded, valid) = normal(ROWS, STEPS, FEATURES), memory()

    @tf.function(autograph=False)
    def run(inputs: tf.Tensor, encoded: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([inputs, encoded])
            tensors = layer(inputs, mask=mask, training=True, constants=(encoded, valid))
            loss = sum(tf.reduce_sum(tf.sin(tensor + number)) for number, tensor in enumerate(tensors))
        return tensors, tape.gradient(loss, [inputs, encoded, *(weight.value for weight in cell.weights)])

    return [np.asarray(tensor) for tensor in tf.nest.flatten(run(inputs, encoded))]


@pytest.mark.parametrize(
    ("options", "masked"),
    [
        pytest.param({"kernel": "graph", "reverse": True}, True, marks=pytest.mark.slow),
        ({"kernel": "xla"}, False),
        ({"kernel": "graph", "recompute_every": 2, "reverse": True}, True),
    ],
    ids=["graph", "xla", "recomputed"],
)
def test_every_kernel_agrees_with_a_plain_loop(options: dict[str, Any], masked: bool) -> None:
    cell = attentive()
    mask = tf.cast([[1, 1, 0, 1, 1], [0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], tf.bool) if masked else None
    actual = differentiated(cell, mask, **options)
    plain = {name: value for name, value in options.items() if name == "reverse"}
    expected = differentiated(cell, mask, kernel="reference", **plain)
    for number, (have, want) in enumerate(zip(actual, expected, strict=True)):
        np.testing.assert_allclose(have, want, atol=1e-5, err_msg=f"tensor {number}")


def test_values_and_gradients_by_hand() -> None:
    inputs = tf.constant([[[1.0], [2.0], [4.0]], [[3.0], [5.0], [7.0]]])
    constants = tf.constant([[10.0], [100.0]])
    layer = Recurrent(Scaled(1), kernel="graph")

    @tf.function(autograph=False)
    def run(constants: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(constants)
            last = layer(inputs, mask=tf.constant([[1, 1, 1], [1, 0, 1]]), constants=constants, training=True)
        return last, tape.gradient(last, constants)

    last, gradient = run(constants)
    np.testing.assert_allclose(last, [[70.0], [1000.0]])
    np.testing.assert_allclose(gradient, [[7.0], [10.0]])


def test_the_memory_is_not_stored_for_each_step() -> None:
    layer = Recurrent(attentive(), kernel="graph")

    @tf.function(autograph=False)
    def run(inputs: tf.Tensor, encoded: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(encoded)
            loss = tf.reduce_sum(layer(inputs, constants=(encoded, memory()[1]), training=True))
        return tape.gradient(loss, encoded)

    graph = run.get_concrete_function(normal(ROWS, STEPS, FEATURES), memory()[0]).graph
    shapes = [output.shape.as_list() for op in graph.get_operations() for output in op.outputs if output.shape.rank]
    histories = [shape for shape in shapes if shape[0] in (STEPS, STEPS + 1) and len(shape) > 1]
    assert [STEPS + 1, ROWS, UNITS] in histories
    assert not [shape for shape in histories if PLACES in shape]


def test_a_stream_in_pieces_and_a_look_up_give_what_the_whole_gives() -> None:
    stack = RecurrentStack([attentive(), cells.GRU(UNITS)])
    inputs, constants = normal(ROWS, STEPS, FEATURES), memory()
    outputs, final = stack(inputs, constants=constants)
    first, states = stack(inputs[:, :2], constants=constants)
    second, last = stack(inputs[:, 2:], states=states, constants=constants)
    np.testing.assert_allclose(tf.concat([first, second], axis=1), outputs, atol=1e-6)
    np.testing.assert_allclose(last[-1], final[-1], atol=1e-6)
    step = stack.looking_up(tf.reshape(inputs, [-1, FEATURES]), constants)
    looked_up, _ = step(tf.range(ROWS) * STEPS, stack.initial_states(ROWS))
    np.testing.assert_allclose(looked_up, outputs[:, 0], atol=1e-6)


def test_both_directions_read_them() -> None:
    layer = Bidirectional(Recurrent(attentive()), Recurrent(attentive(), reverse=True))
    inputs, constants = normal(ROWS, STEPS, FEATURES), memory()
    joined = layer(inputs, constants=constants)
    np.testing.assert_allclose(joined[:, :UNITS], layer.forward(inputs, constants=constants), atol=1e-6)
    np.testing.assert_allclose(joined[:, UNITS:], layer.backward(inputs, constants=constants), atol=1e-6)
    assert np.abs(joined[:, :UNITS] - joined[:, UNITS:]).max() > 0.01


class RemembersLinearly(cells.MinGRU):
    def constants(self, memory: Any) -> Any:
        return memory


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: Recurrent(attentive())(x), "AttentiveRNN reads constants, but got none; pass constants="),
        (lambda x: Recurrent(cells.GRU(3))(x, constants=x), "GRU takes no constants; join them to the inputs"),
        (lambda x: Recurrent(Scaled(2))(x, constants=x[:2]), r"with the rows of sequences \(3, 5, 2\), got the shape"),
        (lambda x: Recurrent(RemembersLinearly(3)), "RemembersLinearly: coefficients see the inputs only; join"),
        (lambda x: RecurrentStack([cells.GRU(3)])(x, constants=x), "GRU takes no constants"),
        (lambda x: cells.GRU(3).fixed(x), "GRU takes no constants"),
    ],
    ids=["none", "not read", "rows", "linear", "stack", "one step"],
)
def test_what_does_not_fit_is_told_in_one_line(call: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        call(normal(ROWS, STEPS, FEATURES))
    assert "\n" not in str(caught.value)
