"""RecurrentStack: layer by layer, with explicit states."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM
from rnnapps.config import RecurrentConfig
from rnnapps.errors import ConfigError
from rnnapps.layers import RecurrentStack, recurrent_stack

INPUTS = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)


def test_equals_its_layers_one_by_one() -> None:
    stack = RecurrentStack([LSTM(4), GRU(4), GRU(3)], residual=True)
    outputs, states = stack(INPUTS)
    hidden, expected = tf.constant(INPUTS), []
    for number, layer in enumerate(stack.recurrent_layers):
        result, *last = layer(hidden)
        hidden = result if number == 2 else hidden + result  # the last layer's size differs from its input's
        expected += last
    np.testing.assert_allclose(outputs, hidden, atol=1e-6)
    assert [state.shape[-1] for state in states] == stack.state_sizes == [4, 4, 4, 3]
    for state, other in zip(states, expected, strict=True):
        np.testing.assert_allclose(state, other, atol=1e-6)


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_two_chunks_equal_one_run(cut: int) -> None:
    stack = recurrent_stack(RecurrentConfig(cell="lstm", units=3, layers=2))
    whole, final = stack(INPUTS)
    first, between = stack(INPUTS[:, :cut])
    second, end = stack(INPUTS[:, cut:], states=between)
    np.testing.assert_allclose(tf.concat([first, second], axis=1), whole, atol=1e-6)
    for state, other in zip(end, final, strict=True):
        np.testing.assert_allclose(state, other, atol=1e-6)


def test_dropout_only_between_layers_and_only_in_training() -> None:
    keras.utils.set_random_seed(0)
    stack = RecurrentStack([GRU(4), GRU(4)], dropout=0.5)
    still, _ = stack(INPUTS, training=False)
    np.testing.assert_allclose(stack(INPUTS, training=False)[0], still, atol=1e-6)
    assert not np.allclose(stack(INPUTS, training=True)[0], still, atol=1e-2)
    single = RecurrentStack([GRU(4)], dropout=0.5)
    np.testing.assert_allclose(single(INPUTS, training=True)[0], single(INPUTS, training=False)[0], atol=1e-6)


def test_bidirectional_stack() -> None:
    stack = recurrent_stack(RecurrentConfig(cell="gru", units=3, layers=2, bidirectional=True))
    outputs, states = stack(INPUTS)
    assert outputs.shape == (2, 6, 6) and len(states) == 4
    again = RecurrentStack.from_config(stack.get_config())
    again.build(INPUTS.shape)
    again.set_weights(stack.get_weights())
    np.testing.assert_allclose(again(INPUTS)[0], outputs, atol=1e-6)


def test_errors() -> None:
    with pytest.raises(ConfigError, match="at least one cell"):
        RecurrentStack([])
    with pytest.raises(ConfigError, match="dropout"):
        RecurrentStack([GRU(2)], dropout=1.0)
    with pytest.raises(ConfigError, match="did you mean 'lstm'"):
        recurrent_stack(RecurrentConfig(cell="lstmm"))
