from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.video_recognition.layers.attention_pooling import AttentionPooling


def make(features: int = 3) -> AttentionPooling:
    layer = AttentionPooling(4)
    layer.build((None, None, features))
    draw = np.random.default_rng(0)
    layer.set_weights([draw.normal(size=weight.shape) for weight in layer.weights])
    return layer


def by_hand(layer: AttentionPooling, sequence: np.ndarray) -> np.ndarray:
    kernel, bias, score = layer.get_weights()
    weights = np.exp(np.tanh(sequence @ kernel + bias) @ score)[:, 0]
    return (weights[:, None] * sequence).sum(axis=0) / weights.sum()


def test_the_mean_by_hand() -> None:
    layer, sequences = make(), np.random.default_rng(1).normal(size=(2, 5, 3)).astype(np.float32)
    found = layer(sequences, mask=tf.sequence_mask([5, 3], 5)).numpy()
    np.testing.assert_allclose(found[0], by_hand(layer, sequences[0]), rtol=1e-5)
    np.testing.assert_allclose(found[1], by_hand(layer, sequences[1, :3]), rtol=1e-5)
    np.testing.assert_allclose(layer(sequences[:1]).numpy(), found[:1], rtol=1e-6)


def test_masked_steps_may_hold_anything_and_empty_rows_give_zeros() -> None:
    layer, sequences = make(), np.full((2, 3, 3), np.nan, np.float32)
    sequences[0, 0] = 1.0
    found = layer(sequences, mask=tf.sequence_mask([1, 0], 3)).numpy()
    np.testing.assert_allclose(found, [[1, 1, 1], [0, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_steps_give_the_mean_of_every_beginning(scale: float) -> None:
    layer = make()
    layer.set_weights([weight * (scale if place == 2 else 1) for place, weight in enumerate(layer.get_weights())])
    sequences = np.random.default_rng(2).normal(size=(4, 6, 3)).astype(np.float32)
    states, start = [tf.zeros((4, size)) for size in layer.state_sizes(3)], 0
    for size in (1, 0, 3, 2):
        chunk = np.pad(sequences[:, start : start + size], [(0, 0), (0, 1), (0, 0)], constant_values=9.0)
        pooled, states = layer.go_on(tf.constant(chunk), tf.sequence_mask([size] * 4, size + 1), states)
        for place in range(size):
            expected = layer(sequences[:, : start + place + 1])
            np.testing.assert_allclose(pooled[:, place], expected, rtol=1e-4, atol=1e-5)
        start += size
