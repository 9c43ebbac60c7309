from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.cells.lstm import LSTM
from rnnapps.cells.simple_rnn import SimpleRNN
from rnnapps.config import RecurrentConfig
from rnnapps.layers.recurrent import Recurrent
from rnnapps.layers.stack import recurrent_stack
from rnnapps.training.diagnostics import GradientThroughTime, observe
from rnnapps.training.recurrence import recurrent_layers


class Leaky(Cell):
    """The linear scalar network h_t = w h_{t-1} + x_t."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.declare_states(1)
        self.weight = weight

    def project(self, inputs: Any, training: bool = False) -> Any:
        return inputs

    def recur(self, output: Any) -> Any:
        return self.weight * output

    def update(self, projected: Any, recurrent: Any, states: Any) -> tuple[Any, ...]:
        return (projected + recurrent,)


def around(layer: Any, *, time: int, features: int) -> keras.Model:
    values = keras.Input((time, features), name="values")
    return keras.Model({"values": values}, {"outputs": layer(values)})


def language_model(cell: str = "lstm", **options: Any) -> keras.Model:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    stack = recurrent_stack(RecurrentConfig(cell=cell, units=6, layers=2, **options))
    states = [keras.Input((size,), name=f"state_{number}") for number, size in enumerate(stack.state_sizes)]
    hidden, final = stack(keras.layers.Embedding(7, 5)(tokens), states)
    outputs = {"logits": keras.layers.Dense(7)(hidden), "states": final}
    return keras.Model({"tokens": tokens, "states": states}, outputs)


def of(gradients: tuple[GradientThroughTime, ...], kind: str) -> list[tuple[float, ...]]:
    return [gradient.norms for gradient in gradients if gradient.of == kind]


@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_linear_scalar_network_by_hand(weight: float, reverse: bool) -> None:
    """dL/dh_t of L = h_T is w^(T - t); of L = the sum of all outputs it is 1 + w + ... + w^(T - t)."""
    steps = 10
    network = around(Recurrent(Leaky(weight), return_sequences=True, reverse=reverse), time=steps, features=1)
    values = np.random.default_rng(0).normal(size=(1, steps, 1)).astype("float32")
    seen = observe(network, {"values": values}, lambda outputs: tf.reduce_sum(outputs["outputs"]))
    powers = weight ** np.arange(steps - 1, -1, -1.0)
    sums = np.cumsum(powers[::-1])[::-1]
    order = slice(None, None, -1) if reverse else slice(None)
    assert of(seen.gradients, "last output") == [pytest.approx(powers[order])]
    assert of(seen.gradients, "loss") == [pytest.approx(sums[order])]


def test_a_masked_step_passes_the_gradient_on_unchanged() -> None:
    layer = Recurrent(Leaky(0.5), return_sequences=True)
    values, mask = keras.Input((4, 1), name="values"), keras.Input((4,), dtype="bool", name="mask")
    network = keras.Model({"values": values, "mask": mask}, {"outputs": layer(values, mask=mask)})
    inputs = {"values": np.ones((1, 4, 1), "float32"), "mask": np.array([[True, True, False, True]])}
    seen = observe(network, inputs, lambda outputs: outputs["outputs"][0, -1, 0])
    assert of(seen.gradients, "loss") == [pytest.approx((0.25, 0.5, 0.5, 1.0))]


def test_gradients_equal_those_of_a_network_split_after_the_step() -> None:
    """dL/dh_t is the gradient with respect to the state handed over; c_t acts through h_t = o * tanh(c_t) too."""
    keras.utils.set_random_seed(0)
    network = around(Recurrent(LSTM(3), return_sequences=True), time=5, features=2)
    values = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    seen = observe(network, {"values": values}, lambda outputs: tf.reduce_sum(outputs["outputs"][:, -1] ** 2))
    of_h, of_c = (gradient.norms for gradient in seen.gradients if gradient.of == "loss")
    part = Recurrent(recurrent_layers(network)[0].cell, return_state=True)
    for step in (1, 2, 4):
        _, h, c = part(values[:, :step])
        output_gate = h / tf.tanh(c)
        with tf.GradientTape() as tape:
            tape.watch(c)
            h = output_gate * tf.tanh(c)
            rest, *_ = part(values[:, step:], initial_state=[h, c])
            value = tf.reduce_sum(rest**2)
        expected_h, expected_c = tape.gradient(value, [h, c])
        assert of_h[step - 1] == pytest.approx(float(tf.norm(expected_h)), rel=1e-5)
        assert of_c[step - 1] == pytest.approx(float(tf.norm(expected_c)), rel=1e-5)


def test_simple_rnn_vanishes_and_explodes_where_the_lstm_remembers() -> None:
    steps, values = 100, np.random.default_rng(0).normal(size=(2, 100, 4)).astype("float32") * 0.1

    def ratio(cell: Cell) -> float:
        keras.utils.set_random_seed(0)
        network = around(Recurrent(cell, return_sequences=True), time=steps, features=4)
        seen = observe(network, {"values": values}, lambda outputs: tf.reduce_sum(outputs["outputs"][:, -1]))
        memory = [gradient.norms for gradient in seen.gradients if gradient.of == "last output"][-1]
        return memory[0] / memory[-1]

    assert ratio(SimpleRNN(16, recurrent_initializer=keras.initializers.Orthogonal(0.8))) < 1e-8
    assert ratio(SimpleRNN(16, activation="linear", recurrent_initializer=keras.initializers.Orthogonal(1.2))) > 1e7
    assert 1e-3 < ratio(LSTM(16, forget_bias=5.0)) < 1e3


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_any_network_of_the_stack_is_observed_and_left_as_it_was(cell: str) -> None:
    network = language_model(cell)
    tokens = np.random.default_rng(0).integers(0, 7, (3, 8))

    def loss(outputs: Any) -> Any:
        return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(tokens, outputs["logits"], True))

    inputs = {"tokens": tf.constant(tokens, tf.int32)}
    zeros = [tf.zeros((3, 6)) for _ in network.input["states"]]
    before = network({**inputs, "states": zeros})["logits"].numpy()
    seen = observe(network, inputs, loss)
    assert seen.loss == pytest.approx(float(loss({"logits": before})), rel=1e-5)
    states = {"lstm": 2, "gru": 1, "simple_rnn": 1}[cell]
    assert len(seen.gradients) == 2 * 2 * states
    assert len({gradient.layer for gradient in seen.gradients}) == 2
    assert all(len(gradient.norms) == 8 and min(gradient.norms) >= 0 for gradient in seen.gradients)
    assert all(norms[-1] == pytest.approx(1.0) for norms in of(seen.gradients, "last output")[::states])
    gates = {"lstm": ["input", "forget", "candidate", "output"], "gru": ["update", "reset", "candidate"]}
    assert [gate.gate for gate in seen.gates] == gates.get(cell, []) * 2
    assert all(sum(gate.histogram) == 3 * 8 * 6 for gate in seen.gates)
    after = network({**inputs, "states": zeros})["logits"].numpy()
    np.testing.assert_array_equal(before, after)
    assert all(layer.kernel == "auto" and "_run" not in vars(layer) for layer in recurrent_layers(network))


def test_gate_statistics_follow_the_weights() -> None:
    """With all kernels zero the forget gate is sigmoid of its bias, everywhere."""
    cell = LSTM(2, forget_bias=3.0, kernel_initializer="zeros", recurrent_initializer="zeros")
    network = around(Recurrent(cell, return_sequences=True), time=4, features=1)
    seen = observe(network, {"values": np.ones((1, 4, 1), "float32")}, lambda outputs: outputs["outputs"][0, 0, 0])
    gates = {gate.gate: gate for gate in seen.gates}
    expected = 1 / (1 + np.exp(-3.0))
    assert gates["forget"].mean_over_time == pytest.approx([expected] * 4)
    assert (gates["forget"].low, gates["forget"].high) == (0.0, 1.0)
    assert (gates["input"].mean, gates["input"].high) == (0.5, 0.0)


def test_both_directions_are_observed() -> None:
    stack = recurrent_stack(RecurrentConfig(cell="gru", units=3, bidirectional=True))
    network = around(stack, time=6, features=2)
    values = np.random.default_rng(0).normal(size=(2, 6, 2)).astype("float32")
    seen = observe(network, {"values": values}, lambda outputs: tf.reduce_sum(tf.nest.flatten(outputs)[0]))
    forward, backward = of(seen.gradients, "last output")
    assert forward[-1] == pytest.approx(1.0)
    assert backward[0] == pytest.approx(1.0)


def test_a_network_without_recurrence_is_refused() -> None:
    network = around(keras.layers.Dense(1), time=2, features=1)
    with pytest.raises(ValueError, match="has no Recurrent layer"):
        observe(network, {"values": np.zeros((1, 2, 1))}, lambda outputs: 0.0)
