"""Translation networks: whole sequences and single steps agree, and what is padding has no influence."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.tasks.translation.layers import Bridge
from rnnapps.tasks.translation.model_config import TranslationModelConfig
from rnnapps.tasks.translation.network import decoder_step, encode, go_on, translation_network
from rnnapps.tasks.translation.objective import smoothed_loss
from rnnapps.tasks.translation.vocabularies import vocabulary_axes

DRAW = np.random.default_rng(1)
SOURCE, TARGET = DRAW.integers(4, 11, (3, 5)).astype(np.int32), DRAW.integers(4, 9, (3, 4)).astype(np.int32)
LENGTHS = np.array([5, 2, 3], np.int32)
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "context layers": {"context_layers": 1, "layers": 2, "residual": True, "tie_embeddings": True},
    "input feeding": {"input_feeding": True, "attention": "additive", "cell": "lstm", "tie_embeddings": True},
    "fed context": {"input_feeding": True, "context_layers": 1},
    "one direction": {"bidirectional": False, "cell": "layer_norm_lstm"},
}


def build(**settings: Any) -> keras.Model:
    sizes = {"units": 6, "encoder_units": 5, "embedding_units": 4}
    return translation_network(TranslationModelConfig(**{**sizes, **settings}), 11, 9)


def inputs(**more: Any) -> dict[str, Any]:
    return {
        "source": tf.constant(SOURCE),
        "source_lengths": tf.constant(LENGTHS),
        "target": tf.constant(TARGET),
        **more,
    }


@pytest.fixture(scope="module", params=VARIANTS)
def network(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(2)  # of some weights tokens differ by less than 1e-4
    return build(**VARIANTS[request.param])


def test_three_ways_to_run_agree(network: keras.Model) -> None:
    whole = network(inputs())
    encoded = encode(network, tf.constant(SOURCE), tf.constant(LENGTHS))
    logits, attention, _ = go_on(network, tf.constant(TARGET), tf.constant([4, 4, 4]), encoded)
    np.testing.assert_allclose(logits, whole["logits"], atol=1e-5)
    np.testing.assert_allclose(attention, whole["attention"], atol=1e-5)
    np.testing.assert_allclose(tf.reduce_sum(attention, axis=-1), np.ones((3, 4)), atol=1e-5)
    step = decoder_step(network, encoded.memory)
    states = [tf.repeat(state[:, None], 2, axis=1) for state in encoded.states]
    for time in range(4):
        tokens = tf.repeat(tf.constant(TARGET[:, time : time + 1]), 2, axis=1)
        scores, states = step(tokens, states)
        for beam in range(2):
            np.testing.assert_allclose(scores[:, beam], whole["logits"][:, time], atol=1e-5)


def test_padding_has_no_influence(network: keras.Model) -> None:
    whole = network(inputs())["logits"]
    noise = np.where(np.arange(5) < LENGTHS[:, None], SOURCE, 3)
    np.testing.assert_allclose(network(inputs(source=tf.constant(noise)))["logits"], whole, atol=1e-6)
    for row, length in enumerate(LENGTHS):
        alone = {name: value[row : row + 1] for name, value in inputs().items()}
        alone["source"] = alone["source"][:, :length]
        np.testing.assert_allclose(network(alone)["logits"][0], whole[row], atol=1e-5)


def test_a_token_sees_only_those_before_it(network: keras.Model) -> None:
    changed = TARGET.copy()
    changed[:, 2] = (changed[:, 2] - 3) % 9
    before, after = (network(inputs(target=tf.constant(target)))["logits"].numpy() for target in (TARGET, changed))
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-6)
    assert np.abs(before[:, 2:] - after[:, 2:]).max() > 1e-4


@pytest.mark.parametrize("variant", ["input feeding", "fed context"])
def test_every_weight_learns(variant: str) -> None:
    network = build(**VARIANTS[variant])
    with tf.GradientTape() as tape:
        outputs = network(inputs(), training=True)
        loss = smoothed_loss(outputs["logits"], tf.constant(TARGET), 0.1)
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_variables])
    silent = [w.path for w, g in zip(network.trainable_variables, gradients, strict=True) if g is None]
    assert not silent


def test_own_choices_take_the_place_of_true_tokens() -> None:
    network = build(scheduled_sampling=0.5, dropout=0.0)
    none, some = np.zeros((3, 4), bool), np.array([[False, True, False, True]] * 3)
    plain = network(inputs(use_own=tf.constant(none)))["logits"].numpy()
    chosen = plain.argmax(axis=-1)
    mixed = np.where(some, np.concatenate([TARGET[:, :1], chosen[:, :-1]], axis=1), TARGET).astype(np.int32)
    expected = network(inputs(target=tf.constant(mixed), use_own=tf.constant(none)))["logits"]
    np.testing.assert_allclose(network(inputs(use_own=tf.constant(some)))["logits"], expected, atol=1e-5)


def test_what_vocabularies_index(network: keras.Model) -> None:
    shapes = {weight.path: tuple(weight.shape) for weight in network.weights}
    for side, size in (("source", 11), ("target", 9)):
        for path, axis in vocabulary_axes(network)[side].items():
            assert shapes[path][axis] == size
    assert ("scores/kernel" in vocabulary_axes(network)["target"]) == ("scores/kernel" in shapes)


def test_label_smoothing_by_hand() -> None:
    logits = np.log(np.array([[[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]], np.float32))
    targets = tf.constant([[1, 2, 0]])  # 0 is padding
    logs = np.log([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    for smoothing in (0.0, 0.3):
        wanted = -np.mean(
            [(1 - smoothing) * row[t] + smoothing * row.mean() for row, t in zip(logs, (1, 2), strict=True)]
        )
        assert float(smoothed_loss(tf.constant(logits), targets, smoothing)) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    "bad",
    [
        {"attention": "dot"},
        {"label_smoothing": 1.0},
        {"scheduled_sampling": -0.1},
        {"context_layers": -1},
        {"units": 0},
    ],
)
def test_bad_settings(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        TranslationModelConfig(**bad)


def test_the_bridge_leaves_memories_at_zero() -> None:
    bridge = Bridge([2, (1, 2, 2)])
    final = [tf.constant([[1.0, -1.0, 2.0]]), tf.ones((1, 1, 3, 3))]
    vector, memory = bridge(final)
    weights, bias = bridge.parts["state_0"].get_weights()
    np.testing.assert_allclose(vector, np.tanh(final[0].numpy() @ weights + bias), rtol=1e-6)
    np.testing.assert_array_equal(memory, np.zeros((1, 1, 2, 2)))
    assert bridge.compute_output_shape([(1, 3), (1, 1, 3, 3)]) == [(1, 2), (1, 1, 2, 2)]
    assert Bridge.from_config(bridge.get_config()).sizes == [2, (1, 2, 2)]
