"""States that are matrices a head go wherever vectors go: chunks, masks, both directions, messages."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, MLSTM, DeltaNet
from rnnapps.errors import ConfigError
from rnnapps.layers import Bidirectional, Recurrent, RecurrentStack

INPUTS = tf.constant(np.random.default_rng(0).normal(size=(2, 7, 3)), tf.float32)


def test_chunks_of_a_stack_are_the_whole() -> None:
    """Also one step alone, and a row that ends before the others."""
    stack = RecurrentStack([MLSTM(4, heads=2), GRU(3)])
    assert stack.state_shapes == [(4,), (2, 2, 3), (2,), (3,)]
    assert stack.state_sizes == [4, (2, 2, 3), (2,), 3]
    mask = tf.sequence_mask([7, 4], 7)
    whole, final = stack(INPUTS, mask=mask)
    pieces, states = [], stack.initial_states(2)
    for part in (slice(0, 3), slice(3, 4), slice(4, 7)):
        outputs, states = stack(INPUTS[:, part], states, mask=mask[:, part])
        pieces.append(outputs)
    np.testing.assert_allclose(tf.concat(pieces, axis=1), whole, atol=1e-6)
    for have, want in zip(states, final, strict=True):
        np.testing.assert_allclose(have, want, atol=1e-6)


def test_shapes_that_layers_tell() -> None:
    layer = Bidirectional(Recurrent(DeltaNet(4), return_state=True))
    assert layer.compute_output_shape((2, 7, 3)) == ((2, 8), (2, 4), (2, 1, 4, 4), (2, 4), (2, 1, 4, 4))
    results = layer(INPUTS)
    assert tuple(tuple(result.shape) for result in results) == layer.compute_output_shape((2, 7, 3))


def test_a_state_of_the_wrong_shape() -> None:
    layer, states = Recurrent(DeltaNet(4), name="memory"), [tf.zeros((2, 4)), tf.zeros((2, 4, 4))]
    with pytest.raises(
        ConfigError, match=r"memory: expected initial state 1 as \(2, 1, 4, 4\), got the shape \(2, 4, 4\)"
    ):
        layer(INPUTS, initial_state=states)
    with pytest.raises(ConfigError, match="memory: expected 2 initial states, of the sizes 4, 1 x 4 x 4, got 1"):
        layer(INPUTS, initial_state=states[:1])
