"""Token networks: reading rows of different lengths, single steps, tied weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import TokenModelConfig
from rnnapps.errors import ConfigError
from rnnapps.layers.token_network import read, token_network, token_step, vocabulary_axes, zero_states

TOKENS = np.random.default_rng(0).integers(0, 9, (3, 5)).astype(np.int32)


@pytest.fixture(scope="module", params=[False, True], ids=["untied", "tied"])
def network(request: pytest.FixtureRequest) -> keras.Model:
    config = TokenModelConfig(cell="lstm", units=6, layers=2, embedding_units=4, tie_weights=request.param)
    return token_network(config, 9)


def test_three_ways_to_run_agree(network: keras.Model) -> None:
    whole = network({"tokens": tf.constant(TOKENS), "states": zero_states(network, 3)})
    lengths = np.array([5, 2, 3], np.int32)
    logits, ends = read(network, TOKENS, lengths, zero_states(network, 3))
    advance, states = token_step(network), zero_states(network, 3)
    for t in range(5):
        step, states = advance(tf.constant(TOKENS[:, t]), states)
        np.testing.assert_allclose(step, whole["logits"][:, t], atol=1e-5)
        valid = t < lengths
        np.testing.assert_allclose(logits[:, t][valid], whole["logits"][:, t][valid], atol=1e-5)
        assert not np.any(logits[:, t][~valid])
        for state, end in zip(states, ends, strict=True):
            np.testing.assert_allclose(np.asarray(end)[lengths == t + 1], state.numpy()[lengths == t + 1], atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", "min_gru", "layer_norm_lstm"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_looked_up_projections_change_nothing(cell: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keras.config.set_dtype_policy(precision)
    try:
        network = token_network(TokenModelConfig(cell=cell, units=4, layers=2, embedding_units=4, residual=True), 9)
    finally:
        keras.config.set_dtype_policy("float32")
    looked_up = _three_steps(network)
    monkeypatch.setattr("rnnapps.layers.token_network.LARGEST_TABLE", 8)
    computed = _three_steps(network)
    for a, b in zip(looked_up, computed, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5 if precision == "float32" else 0.02)


def _three_steps(network: keras.Model) -> list[np.ndarray]:
    step, states = token_step(network), zero_states(network, 3)
    for t in range(3):
        logits, states = step(tf.constant(TOKENS[:, t]), states)
    return [np.asarray(tf.cast(tensor, tf.float32)) for tensor in (logits, *states)]


def test_padding_changes_nothing(network: keras.Model) -> None:
    lengths, padded = np.array([5, 2, 3], np.int32), np.pad(TOKENS, [[0, 0], [0, 4]], constant_values=8)
    short, ends = read(network, TOKENS, lengths, zero_states(network, 3))
    long, again = read(network, padded, lengths, zero_states(network, 3))
    np.testing.assert_allclose(long[:, :5], short, atol=1e-6)
    for a, b in zip(ends, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_vocabulary_axes_name_every_weight_of_that_size(network: keras.Model) -> None:
    axes = vocabulary_axes(network)
    assert set(axes) == {weight.path for weight in network.weights if 9 in weight.shape}
    assert all(weight.shape[axes[weight.path]] == 9 for weight in network.weights if weight.path in axes)


def test_tied_weights_are_one_tensor() -> None:
    config = TokenModelConfig(cell="gru", units=4, embedding_units=4)
    sizes = [token_network(config, 9).count_params()]
    sizes.append(
        token_network(TokenModelConfig(cell="gru", units=4, embedding_units=4, tie_weights=True), 9).count_params()
    )
    # Tied: no 4 x 9 kernel and 9 biases, but a 4 x 4 projection with 4 biases.
    assert sizes[0] - sizes[1] == 4 * 9 + 9 - (4 * 4 + 4)


def test_a_model_that_predicts_reads_forwards() -> None:
    with pytest.raises(ConfigError, match="must not read backwards"):
        TokenModelConfig(bidirectional=True)
