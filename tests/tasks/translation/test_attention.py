"""Attention against loops of NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.tasks.translation.attention import Attention

DRAW = np.random.default_rng(0)
QUERIES, MEMORY = (DRAW.normal(size=shape).astype(np.float32) for shape in ((2, 3, 4), (2, 5, 6)))
LENGTHS = [5, 2]


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_it_is_the_formula(kind: str) -> None:
    layer = Attention(kind, units=7) if kind == "additive" else Attention(kind)  # type: ignore[arg-type]
    mask = tf.sequence_mask(LENGTHS, 5)
    contexts, weights = layer(QUERIES, MEMORY, mask=mask)
    own = {weight.name: weight.numpy() for weight in layer.weights}
    for row, length in enumerate(LENGTHS):
        for time in range(3):
            query, places = QUERIES[row, time], MEMORY[row, :length]
            keys = places @ own["memory_kernel"]
            if kind == "additive":
                scores = np.tanh(keys + query @ own["query_kernel"] + own["bias"]) @ own["score"][:, 0]
            else:
                scores = keys @ query / np.sqrt(4)
            shares = np.exp(scores) / np.exp(scores).sum()
            np.testing.assert_allclose(weights[row, time, :length], shares, atol=1e-5)
            np.testing.assert_allclose(contexts[row, time], shares @ places, atol=1e-5)
        assert not np.any(weights[row, :, length:])


def test_prepared_keys_change_nothing() -> None:
    layer = Attention()
    whole = layer(QUERIES, MEMORY)
    prepared = layer(QUERIES, MEMORY, keys=layer.keys(MEMORY))
    for a, b in zip(whole, prepared, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_nothing_to_attend_to_gives_zeros() -> None:
    contexts, weights = Attention()(QUERIES, MEMORY, mask=tf.zeros((2, 5), tf.bool))
    assert not np.any(contexts) and not np.any(weights)


def test_saved_and_loaded() -> None:
    layer = Attention("additive", units=3, name="look")
    again = Attention.from_config(layer.get_config())
    assert (again.kind, again.units, again.name) == ("additive", 3, "look")
    assert keras.saving.serialize_keras_object(layer) == keras.saving.serialize_keras_object(again)


def test_unknown_kind() -> None:
    with pytest.raises(ConfigError, match="expected multiplicative or additive, got 'dot'"):
        Attention("dot")  # type: ignore[arg-type]
