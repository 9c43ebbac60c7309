"""What Keras's recurrent layers take, ours take, and give the same values and gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps import cells, layers
from rnnapps.errors import ConfigError

NAMES = ("LSTM", "GRU", "SimpleRNN")
INPUTS = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
RIGHT_PADDED = np.arange(5) < np.array([[5], [2], [4]])
GATES = {"activation": "softsign", "recurrent_activation": "softmax"}
OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "no bias": (NAMES, {"use_bias": False}),
    "activations": (("LSTM", "GRU"), GATES),
    "reset before": (("GRU",), GATES | {"reset_after": False, "return_sequences": True}),
    "activation": (("SimpleRNN",), {"activation": "softsign"}),
    "backwards": (NAMES, {"go_backwards": True, "return_sequences": True}),
    "zeros": (("LSTM",), {"zero_output_for_mask": True, "return_sequences": True, "return_state": True}),
    "last": (("GRU",), {"go_backwards": True, "return_state": True}),
}
CASES = [(kind, name) for name, (kinds, _) in OPTIONS.items() for kind in kinds]


def both(kind: str, **options: Any) -> tuple[Any, Any]:
    """Our layer and Keras's, with Keras's weights, biases among them random."""
    ours, theirs = getattr(layers, kind)(4, **options), getattr(keras.layers, kind)(4, **options)
    random = np.random.default_rng(1)
    for layer in (ours, theirs):
        layer.build(INPUTS.shape)
    weights = [random.normal(scale=0.5, size=weight.shape) for weight in theirs.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def results(layer: Any, mask: Any) -> list[Any]:
    """Outputs, states and gradients; `kernel="reference"` in ours, for the kernels agree with one another."""
    inputs = tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        tensors = tf.nest.flatten(layer(inputs, mask=mask))
        loss = sum(tf.reduce_sum(tf.sin(tensor + number)) for number, tensor in enumerate(tensors))
    return [*tensors, *tape.gradient(loss, [inputs, *(weight.value for weight in layer.weights)])]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_arguments_mean_the_same(kind: str, name: str) -> None:
    ours, theirs = both(kind, **OPTIONS[name][1])
    ours.kernel = "reference"
    for actual, expected in zip(results(ours, RIGHT_PADDED), results(theirs, RIGHT_PADDED), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("kind", NAMES)
def test_what_acts_on_weights(kind: str) -> None:
    options = {
        f"{weight}_{what}": value
        for weight in ("kernel", "recurrent", "bias")
        for what, value in (("regularizer", "l2"), ("constraint", "non_neg"), ("initializer", "ones"))
    }
    ours, theirs = (getattr(home, kind)(4, **options) for home in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(INPUTS.shape)
    for actual, expected in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(actual, expected)
        assert type(actual.constraint) is type(expected.constraint) is keras.constraints.NonNeg
    np.testing.assert_allclose(sum(ours.losses), sum(theirs.losses), rtol=1e-6)
    again = type(ours).from_config(ours.get_config())
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize("kind", NAMES)
def test_initial_biases(kind: str) -> None:
    for options in ({}, {"unit_forget_bias": False}) if kind == "LSTM" else ({},):
        ours, theirs = (getattr(home, kind)(3, **options) for home in (layers, keras.layers))
        for layer in (ours, theirs):
            layer.build(INPUTS.shape)
        np.testing.assert_array_equal(ours.cell.bias, theirs.cell.bias)


def test_weight_files_of_keras(tmp_path: Path) -> None:
    def model(home: Any) -> keras.Model:
        return keras.Sequential(
            [
                keras.Input((5, 2)),
                home.LSTM(3, return_sequences=True),
                keras.layers.Bidirectional(home.GRU(2, return_sequences=True)),
                home.LSTM(3, return_sequences=True),
                home.SimpleRNN(2),
            ]
        )

    theirs, ours = model(keras.layers), model(layers)
    theirs.save_weights(tmp_path / "keras.weights.h5")
    ours.load_weights(tmp_path / "keras.weights.h5")
    np.testing.assert_allclose(ours(INPUTS), theirs(INPUTS), atol=1e-6)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("merge", ["concat", "sum", "ave", "mul", None])
def test_in_the_bidirectional_layer_of_keras(merge: str | None, sequences: bool) -> None:
    stock, mixed = (
        keras.layers.Bidirectional(home.GRU(2, return_sequences=sequences), merge_mode=merge)
        for home in (keras.layers, layers)
    )
    own = layers.Bidirectional(
        layers.GRU(2, return_sequences=sequences, zero_output_for_mask=sequences),
        merge="mean" if merge == "ave" else merge,
    )
    for layer in (stock, mixed, own):
        layer.build(INPUTS.shape)
        layer.set_weights(stock.get_weights())
    expected = tf.nest.flatten(stock(INPUTS, mask=RIGHT_PADDED))
    for layer in (mixed, own):
        actual = tf.nest.flatten(layer(INPUTS, mask=RIGHT_PADDED))
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_dropped_features_stay_dropped() -> None:
    """A network that hands on its inputs shows the mask: one for each row, the same at every step."""
    cell = cells.SimpleRNN(8, activation=None, kernel_initializer="identity", recurrent_initializer="zeros")
    layer = layers.Recurrent(cell, return_sequences=True, dropout=0.5, seed=1)
    ones = np.ones((40, 4, 8), np.float32)
    outputs = layer(ones, training=True).numpy()
    assert set(np.unique(outputs)) == {0.0, 2.0}
    np.testing.assert_array_equal(outputs, np.repeat(outputs[:, :1], 4, axis=1))
    assert 0.4 < (outputs[:, 0] == 0).mean() < 0.6
    assert not np.array_equal(outputs, layer(ones, training=True))
    np.testing.assert_array_equal(layer(ones, training=False), ones)


def test_dropped_units_stay_dropped() -> None:
    """h_t = x + m * h_{t-1} with m the mask: 1 + m, then 1 + m + m^2..."""
    cell = cells.SimpleRNN(8, activation=None, kernel_initializer="identity", recurrent_initializer="identity")
    layer = layers.Recurrent(cell, return_sequences=True, recurrent_dropout=0.5, seed=1)
    outputs = layer(np.ones((40, 3, 8), np.float32), training=True).numpy()
    dropped = outputs[:, 1] == 1
    assert 0.4 < dropped.mean() < 0.6
    steps = [np.ones_like(dropped), np.where(dropped, 1, 3), np.where(dropped, 1, 7)]
    np.testing.assert_array_equal(outputs, np.stack(steps, axis=1))


@pytest.mark.parametrize("options", [{"kernel": "graph", "recompute_every": 2}, {"kernel": "xla", "reverse": True}])
def test_recurrent_dropout_has_the_gradient_of_a_plain_loop(options: dict[str, Any]) -> None:
    found = []
    for kernel in (options["kernel"], "reference"):
        keras.utils.set_random_seed(2)
        layer = layers.GRU(4, dropout=0.3, recurrent_dropout=0.4, seed=3, **(options | {"kernel": kernel}))
        layer.build(INPUTS.shape)
        inputs = tf.constant(INPUTS)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.sin(layer(inputs, mask=RIGHT_PADDED, training=True)))
        found.append(tape.gradient(loss, [inputs, *(weight.value for weight in layer.trainable_weights)]))
    for actual, expected in zip(*found, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: layers.LSTM(2, stateful=True), "no stateful; states are arguments"),
        (lambda: layers.LSTM(2, unroll=True), 'no unroll; .* kernel="reference" unrolls'),
        (lambda: layers.GRU(2, use_cudnn=True), "no use_cudnn; there is one"),
        (lambda: layers.GRU(2, implementation=1), "no implementation; there is one"),
        (lambda: cells.LSTM(2, recurrent_dropout=0.1), r"no recurrent_dropout; give it to the layer: Recurrent\(cell"),
        (lambda: layers.Bidirectional(layers.GRU(2), merge_mode="sum"), "no merge_mode; it is called merge"),
        (lambda: layers.Bidirectional(layers.RecurrentStack([cells.GRU(2)])), "cells, bidirectional=True"),
        (lambda: layers.Bidirectional(keras.layers.GRU(2)), r"keras.layers.Bidirectional takes Keras's layers"),
        (lambda: layers.Recurrent(keras.layers.LSTMCell(2)), "cells.LSTM has the same weights"),
        (lambda: layers.Recurrent(keras.layers.StackedRNNCells([])), "keras.layers.RNN runs Keras's cells"),
        (lambda: layers.Recurrent(3), "got int; cells.LSTM"),
        (lambda: layers.RecurrentStack([keras.layers.GRUCell(2)]), "cells.GRU has the same weights"),
        (lambda: layers.GRU(2, reset_after=False, recurrent_dropout=0.1), "GRU does not read its output by one"),
        (lambda: layers.Recurrent(cells.Zoneout(cells.MinGRU(2)), recurrent_dropout=0.1), "or cells.Zoneout"),
        (lambda: layers.GRU(2, dropout=1.0), "dropout: expected a share from 0 to below 1, got 1.0"),
    ],
)
def test_the_rest_is_refused_in_one_line(make: Any, line: str) -> None:
    with pytest.raises(ConfigError, match=line) as error:
        make()
    assert "\n" not in str(error.value)
