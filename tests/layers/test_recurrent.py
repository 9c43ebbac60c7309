"""Recurrent and Bidirectional against Keras's layers with the same weights."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, Residual, SimpleRNN
from rnnapps.errors import ConfigError
from rnnapps.layers import Bidirectional, Recurrent

PAIRS = {"lstm": (LSTM, keras.layers.LSTM), "gru": (GRU, keras.layers.GRU), "rnn": (SimpleRNN, keras.layers.SimpleRNN)}
INPUTS = np.random.default_rng(0).normal(size=(3, 6, 2)).astype(np.float32)
RIGHT_PADDED = np.arange(6) < np.array([[6], [2], [4]])


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_keras(name: str) -> None:
    ours, theirs = PAIRS[name]
    layer, stock = Recurrent(ours(4), return_sequences=True), theirs(4, return_sequences=True)
    stock.build(INPUTS.shape)
    layer.build(INPUTS.shape)
    layer.set_weights(stock.get_weights())
    np.testing.assert_allclose(layer(INPUTS), stock(INPUTS), atol=1e-6)
    layer.return_sequences = stock.return_sequences = False
    np.testing.assert_allclose(layer(INPUTS, mask=RIGHT_PADDED), stock(INPUTS, mask=RIGHT_PADDED), atol=1e-6)


@pytest.mark.parametrize(("merge", "keras_merge"), [("concat", "concat"), ("sum", "sum"), ("mean", "ave")])
@pytest.mark.parametrize("sequences", [True, False])
def test_bidirectional_agrees_with_keras(merge: str, keras_merge: str, sequences: bool) -> None:
    layer = Bidirectional(Recurrent(GRU(4), return_sequences=sequences), merge=merge)
    stock = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=sequences), merge_mode=keras_merge)
    stock.build(INPUTS.shape)
    layer.build(INPUTS.shape)
    layer.set_weights(stock.get_weights())
    np.testing.assert_allclose(layer(INPUTS), stock(INPUTS), atol=1e-6)
    if not sequences:
        np.testing.assert_allclose(layer(INPUTS, mask=RIGHT_PADDED), stock(INPUTS, mask=RIGHT_PADDED), atol=1e-6)


def test_directions_have_weights_of_their_own() -> None:
    layer = Bidirectional(Recurrent(GRU(4)))
    layer.build(INPUTS.shape)
    assert len({id(weight) for weight in layer.weights}) == 6
    assert not np.allclose(layer.forward.cell.kernel, layer.backward.cell.kernel)


def test_masked_steps_may_hold_anything() -> None:
    """NaN behind the end of a row reaches neither outputs nor gradients."""
    layer, dirty = Recurrent(LSTM(4)), np.where(RIGHT_PADDED[..., None], INPUTS, np.nan).astype(np.float32)
    layer.build(INPUTS.shape)
    found = []
    for inputs in (INPUTS, dirty):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs, mask=RIGHT_PADDED) ** 2)
        found.append([loss, *tape.gradient(loss, [weight.value for weight in layer.weights])])
    for clean, other in zip(*found, strict=True):
        np.testing.assert_array_equal(clean, other)


def test_last_output_of_a_residual_cell_is_that_of_the_last_valid_step() -> None:
    layer = Recurrent(Residual(GRU(2)))
    for reverse in (False, True):
        layer.reverse, layer.return_sequences = reverse, True
        everything = layer(INPUTS, mask=RIGHT_PADDED).numpy()
        layer.return_sequences = False
        last = layer(INPUTS, mask=RIGHT_PADDED)
        places = [0, 0, 0] if reverse else [5, 1, 3]
        np.testing.assert_allclose(last, everything[range(3), places], atol=1e-6)


def test_in_anyones_sequential(tmp_path: Path) -> None:
    """A Keras user embeds, masks, trains by fit, saves and loads."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Embedding(10, 4, mask_zero=True),
            Bidirectional(Recurrent(LSTM(5), return_sequences=True)),
            Recurrent(GRU(5)),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    tokens = np.random.default_rng(0).integers(0, 10, (32, 7))
    targets = (tokens == 3).sum(axis=1, keepdims=True)
    losses = model.fit(tokens, targets, epochs=30, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(tokens, verbose=0), model.predict(tokens, verbose=0))
    model.save_weights(tmp_path / "model.weights.h5")
    loaded.layers[2].cell.kernel.assign(loaded.layers[2].cell.kernel * 0)
    loaded.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(loaded.predict(tokens, verbose=0), model.predict(tokens, verbose=0))


def test_errors() -> None:
    with pytest.raises(ConfigError, match=r"expected a rnnapps\.cells\.Cell, got GRUCell"):
        Recurrent(keras.layers.GRUCell(3))
    with pytest.raises(ConfigError, match="reverse=True"):
        Bidirectional(Recurrent(GRU(2)), Recurrent(GRU(2)))
    with pytest.raises(ConfigError, match="same return_state"):
        Bidirectional(Recurrent(GRU(2)), Recurrent(GRU(2), reverse=True, return_state=True))
    with pytest.raises(ConfigError, match="merge"):
        Bidirectional(Recurrent(GRU(2)), merge="max")
