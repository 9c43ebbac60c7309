"""Rules against repetition: what was written lately is made less likely, or forbidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from rnnapps.decoding.sampling import StepFunction
from rnnapps.tasks.text_generation.predict_options import MOST_REPEATED
from rnnapps.types import Nest, Tensor

__all__ = ["RECENT", "RepeatRules", "without_repeats"]

RECENT = 256
"""Tokens that are remembered."""

IMPOSSIBLE = -1e9
NO_ID, BEYOND = -1, -2


class RepeatRules(NamedTuple):
    """What each row holds of repetition.

    Attributes:
        penalty: float32 `(batch,)`: the logarithm of the probability of a token that was written is multiplied by it;
            1 for no penalty.
        no_repeat: int32 `(batch,)`: no sequence of so many tokens is written twice; 0 for any.
    """

    penalty: Tensor
    no_repeat: Tensor


def without_repeats(step: StepFunction, rules: RepeatRules) -> tuple[StepFunction, Callable[[Nest], Nest]]:
    """A step that keeps the rules, and a function that makes its states of those of the step."""
    rows = tf.shape(rules.penalty)[0]

    def begun(states: Nest) -> Nest:
        return states, tf.fill([rows, RECENT], NO_ID)

    def kept(ids: Tensor, memory: Nest) -> tuple[Tensor, Nest]:
        states, recent = memory
        logits, new = step(ids, states)
        recent = tf.concat([ids[:, None], recent[:, :-1]], axis=1)  # the last one first
        scores = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        size = scores.shape[-1]
        seen = _marked(recent, size)
        scores = tf.where(seen, scores * rules.penalty[:, None], scores)
        forbidden = tf.where(_repeating(recent, rules.no_repeat), recent, NO_ID)
        return tf.where(_marked(forbidden, size), IMPOSSIBLE, scores), (new, recent)

    return kept, begun


def _repeating(recent: Tensor, no_repeat: Tensor) -> Tensor:
    """Which of the recent ids `(batch, RECENT)` would end a sequence that was there before, bool of that shape.

    It is each that followed what the last ones, one fewer than the sequence has, now are again.
    """
    padded = tf.pad(recent, [[0, 0], [0, MOST_REPEATED]], constant_values=BEYOND)
    same = tf.broadcast_to((no_repeat > 0)[:, None], tf.shape(recent))
    for back in range(MOST_REPEATED - 1):
        before = padded[:, 1 + back : 1 + back + RECENT]
        needed = (back < no_repeat - 1)[:, None]
        same &= tf.equal(before, recent[:, back, None]) & (before >= 0) | tf.logical_not(needed)
    return same


def _marked(ids: Tensor, size: int) -> Tensor:
    """Which of `size` ids occur in each row of ids `(batch, places)`, negative ones for none; bool `(batch, size)`."""
    rows = tf.shape(ids)[0]
    columns = tf.where(ids < 0, size, ids)
    places = tf.range(rows)[:, None] * (size + 1) + columns
    found = tf.math.unsorted_segment_max(
        tf.ones_like(tf.reshape(ids, [-1])), tf.reshape(places, [-1]), rows * (size + 1)
    )
    return tf.reshape(found, [rows, size + 1])[:, :-1] > 0
