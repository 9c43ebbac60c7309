from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.metrics.text import nats, per_character, score_text

VOCABULARY = 5
TABLE = np.random.default_rng(0).normal(size=(VOCABULARY, VOCABULARY)).astype(np.float32)


def counting_model(tokens, states):
    """Logits depend on the token and on how many tokens were read in the row before: any loss of state shows."""
    (read,) = states
    steps = tf.cast(tf.range(tokens.shape[1]), tf.float32)
    seen = tf.minimum(read + steps, 3.0)
    return tf.gather(TABLE, tokens) * (1 + seen[..., tf.newaxis]), [read + tokens.shape[1]]


def naive(ids):
    total = 0.0
    for at in range(len(ids) - 1):
        logits = TABLE[ids[at]].astype(np.float64) * (1 + min(at, 3))
        total -= logits[ids[at + 1]] - np.log(np.exp(logits).sum())
    return total


@given(
    ids=st.lists(st.integers(0, VOCABULARY - 1), min_size=2, max_size=70),
    batch_size=st.integers(1, 4),
    window_steps=st.integers(3, 9),
)
def test_every_character_is_scored_once_with_its_state(ids, batch_size, window_steps):
    states = [tf.zeros((batch_size, 1))]
    score = score_text(counting_model, states, np.array(ids), batch_size=batch_size, window_steps=window_steps)
    assert score.characters == len(ids) - 1
    assert score.nats == pytest.approx(naive(ids), rel=1e-5)


def test_uniform_model_by_hand():
    score = score_text(
        lambda tokens, states: (tf.zeros((*tokens.shape, 8)), states),
        [],
        np.zeros(11, np.uint16),
        batch_size=2,
        window_steps=4,
        context_windows=0,
    )
    assert score.metrics() == {"nats_per_character": pytest.approx(math.log(8)), "bits_per_character": pytest.approx(3)}


def test_nats_are_computed_in_float32():
    logits = tf.constant([[10.0, 0.0]], tf.bfloat16)
    assert nats(logits, [1]).dtype == tf.float32
    assert float(nats(logits, [1])[0]) == pytest.approx(10 + math.log1p(math.exp(-10)))
    assert per_character(math.log(2))["bits_per_character"] == pytest.approx(1)


def test_too_short():
    with pytest.raises(ValueError, match="at least 2"):
        score_text(counting_model, [], np.array([1]), batch_size=1, window_steps=1)


@pytest.mark.parametrize(("options", "calls"), [({}, 3), ({"context_windows": 0}, 2), ({"context_windows": 2}, 4)])
def test_no_window_is_read_in_vain(options, calls):
    """Twelve scored characters in two stretches of two windows of three, each begun a window early by default."""
    read = []

    def apply(tokens, states):
        read.append(tokens.shape.as_list())
        return tf.zeros((*tokens.shape, 8)), states

    score_text(apply, [], np.zeros(13, np.uint16), batch_size=2, window_steps=3, **options)
    assert read == [[2, 3]] * calls
