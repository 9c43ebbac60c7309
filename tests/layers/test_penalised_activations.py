"""Penalties of activations, and dropout of tokens and of locked values, against NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import RecurrentConfig, TokenModelConfig
from rnnapps.errors import ConfigError
from rnnapps.kernels.random_mask import drawn_for_part, random_mask
from rnnapps.layers import Dropout, RecurrentStack, recurrent_stack
from rnnapps.layers.activation_penalty import activation_penalty
from rnnapps.layers.token_dropout import TokenDropout
from rnnapps.layers.token_network import token_network

OUTPUTS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
MASK = np.array([[True, True, False, True], [True, True, True, False]])


def test_means_are_over_valid_steps_and_pairs_of_them() -> None:
    squares, moves = OUTPUTS**2, np.diff(OUTPUTS, axis=1) ** 2
    pairs = np.concatenate([moves[0, :1], moves[1, :2]])
    expected = {None: 2 * squares.mean() + moves.mean() / 2, "mask": 2 * squares[MASK].mean() + pairs.mean() / 2}
    for key, value in expected.items():
        found = activation_penalty(OUTPUTS, MASK if key else None, size=2.0, change=0.5)
        np.testing.assert_allclose(found, value, rtol=1e-5)
    for nothing in (OUTPUTS[:, :1], OUTPUTS[:, :0]):
        assert float(activation_penalty(nothing, None, size=0.0, change=1.0)) == 0


def test_a_network_adds_them_to_its_losses_while_it_is_trained() -> None:
    config = TokenModelConfig(units=4, embedding_units=3, activation_regularization=2.0)
    config = TokenModelConfig(**{**vars(config), "temporal_activation_regularization": 0.5})
    network = token_network(config, 5)
    inputs = {"tokens": tf.constant([[1, 2, 3], [4, 0, 1]]), "states": [tf.zeros((2, 4))]}
    network(inputs, training=False)
    assert network.losses == []
    with tf.GradientTape() as tape:
        network(inputs, training=True)
        (loss,) = network.losses
    outputs, _ = network.get_layer("recurrent")(network.get_layer("embedding")(inputs["tokens"]))
    assert float(loss) == pytest.approx(float(activation_penalty(outputs, None, size=2.0, change=0.5)), rel=1e-5)
    kernel = network.get_layer("recurrent").cells[0].recurrent_kernel
    assert np.any(tape.gradient(loss, kernel.value))
    network(inputs, training=True)
    assert len(network.losses) == 1  # of one call, not of all so far


def test_settings_reach_the_stack_and_its_copy() -> None:
    names = ("locked_dropout", "activation_regularization", "temporal_activation_regularization")
    values = dict(zip(names, (True, 2.0, 1.0), strict=True))
    stack = recurrent_stack(RecurrentConfig(units=3, layers=2, dropout=0.5, **values))
    for each in (stack, RecurrentStack.from_config(stack.get_config())):
        assert {name: getattr(each, name) for name in names} == values
        assert each.dropouts[0].locked
    assert RecurrentConfig().without_effect() == {"locked_dropout": "needs model.dropout"}


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (RecurrentConfig, "activation_regularization", -1.0, "at least 0, not -1.0"),
        (RecurrentConfig, "temporal_activation_regularization", float("nan"), "at least 0, not nan"),
        (TokenModelConfig, "embedding_dropout", 1.0, "at least 0 and below 1, not 1.0"),
    ],
)
def test_values_out_of_range_are_refused(kind: type, name: str, value: float, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(**{name: value})
    assert str(caught.value) == f"model.{name} must be {expected}"


def test_tokens_are_dropped_wherever_they_stand() -> None:
    tokens, table = tf.constant([[0, 1, 2, 3], [3, 2, 1, 0]]), tf.reshape(tf.range(1.0, 9.0), [4, 2])
    layer = TokenDropout(0.5, 4, seed=2)
    kept = np.asarray(random_mask([4], 0.5, keras.random.SeedGenerator(2).next())) / 0.5
    assert 0 < (kept == 0).sum() < 4
    with tf.GradientTape() as tape:
        tape.watch(table)
        found = layer(tf.gather(table, tokens), tokens, training=True)
    np.testing.assert_allclose(found, (table.numpy() * kept[:, None])[tokens.numpy()], rtol=1e-6)
    gradient = tf.convert_to_tensor(tape.gradient(found, table)).numpy()
    np.testing.assert_allclose(gradient, np.tile(2 * kept[:, None], (1, 2)), rtol=1e-6)
    vectors = tf.gather(table, tokens)
    np.testing.assert_array_equal(layer(vectors, tokens), vectors)
    again = TokenDropout.from_config(layer.get_config())
    with drawn_for_part(1):  # another worker's rows
        np.testing.assert_array_equal(again(vectors, tokens, training=True), found)
    with pytest.raises(ConfigError, match=r"embedding_dropout: expected a share from 0 to below 1, got 1\.0"):
        TokenDropout(1.0, 4)


def test_a_token_network_drops_tokens_of_its_vocabulary() -> None:
    config = TokenModelConfig(units=4, embedding_units=3, embedding_dropout=0.5)
    layer = token_network(config, 7).get_layer("token_dropout")
    assert (layer.rate, layer.vocabulary_size) == (0.5, 7)


def test_locked_values_are_the_same_at_all_steps_of_a_row() -> None:
    layer = Dropout(0.5, locked=True, seed=1)
    dropped = np.asarray(layer(np.ones((30, 4, 8), np.float32), training=True))
    np.testing.assert_array_equal(dropped, np.repeat(dropped[:, :1], 4, axis=1))
    assert set(np.unique(dropped)) == {0, 2} and len(np.unique(dropped[:, 0], axis=0)) > 20
    rows = np.asarray(layer(np.ones((30, 8), np.float32), training=True))
    assert len(np.unique(rows, axis=0)) > 20  # rows without steps are as ever
    again = Dropout.from_config(layer.get_config())
    np.testing.assert_array_equal(again(np.ones((30, 4, 8), np.float32), training=True), dropped)
