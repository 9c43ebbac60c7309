"""Rules against repetition, against their definition in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import generate
from rnnapps.tasks.text_generation.repeats import RepeatRules, without_repeats

SIZE = 6
TABLE = np.random.default_rng(1).normal(0, 1.5, (SIZE, SIZE)).astype(np.float32)


def step(ids: Any, states: Any) -> Any:
    return tf.gather(TABLE, ids), states


def written(penalties: list[float], no_repeats: list[int], *, temperature: float, length: int = 40) -> Any:
    rows = len(penalties)
    rules = Rules(tf.fill([rows], temperature), tf.range(rows, dtype=tf.int64))
    repeats = RepeatRules(tf.constant(penalties), tf.constant(no_repeats))
    kept, begun = without_repeats(step, repeats)
    states = begun([tf.zeros([rows, 1])])
    first = tf.tile(tf.constant(TABLE[:1]), [rows, 1])
    return generate(kept, states, first, rules, length=tf.fill([rows], length))[0].numpy()


def scores(ids: list[int], penalty: float, no_repeat: int) -> Any:
    """Logarithms of probabilities behind written ids, by the rules."""
    logits = TABLE[ids[-1]].astype(np.float64)
    found = logits - np.log(np.exp(logits).sum())
    found[list(set(ids))] *= penalty
    for start in range(len(ids) - no_repeat + 1 if no_repeat else 0):
        gram = ids[start : start + no_repeat]
        if gram[:-1] == ids[len(ids) - no_repeat + 1 :]:
            found[gram[-1]] = -np.inf
    return found


@pytest.mark.parametrize(("penalty", "no_repeat"), [(1.0, 0), (1.3, 0), (1.0, 3), (1.0, 1), (1.5, 2), (2.0, 16)])
def test_the_likeliest_by_the_rules_is_written(penalty: float, no_repeat: int) -> None:
    length = SIZE if no_repeat == 1 else 20
    (found,) = written([penalty], [no_repeat], temperature=0.0, length=length)
    ids = [int(np.argmax(TABLE[0]))]
    while len(ids) < length:
        ids.append(int(np.argmax(scores(ids, penalty, no_repeat))))
    assert found.tolist() == ids


def test_each_row_keeps_its_own_rules() -> None:
    """Drawn at random: no row repeats what it must not, and the one without rules does."""
    rows = written([1.0, 1.0, 1.0], [0, 2, 3], temperature=1.0, length=24)
    alone = written([1.0], [0], temperature=1.0, length=24)
    np.testing.assert_array_equal(rows[0], alone[0])
    for ids, size, repeats in ((rows[0], 2, True), (rows[1], 2, False), (rows[2], 3, False)):
        grams = [tuple(ids[start : start + size]) for start in range(len(ids) - size + 1)]
        assert (len(set(grams)) < len(grams)) is repeats
