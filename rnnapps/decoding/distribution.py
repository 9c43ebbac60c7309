"""The distribution an id is drawn from: temperature, top-k, top-p, and inversion of its cumulative form."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["Rules", "distribution", "draw", "inverse_temperature", "weights"]

# Large enough that any difference of two logits, once multiplied, leaves only the greatest a probability above 0.
_GREEDY = 1e30


class Rules(NamedTuple):
    """How each row is sampled; every field but None has shape `(batch,)`.

    Attributes:
        temperature: divides the logits; 0 always takes the most probable id (the lowest of equals).
        seed: int64; with the position it determines the row's random numbers.
        top_k: only the k most probable ids are drawn (all that equal the k-th); 0 for all. None: no row uses it.
        top_p: only the most probable ids whose probabilities, after top_k, reach p together are drawn (all that equal
            the last); 1 for all. None: no row uses it.
        stop: int32 `(batch, stop steps)` ids after which a row ends, padded at the end. None: no row has one.
        stop_lengths: int32, number of ids of `stop`; 0 for none.
        min_p: only ids are drawn whose probability is at least this share of the likeliest one's; 0 for all. None: no
            row uses it (Nguyen et al. 2024, arXiv:2407.01082).
    """

    temperature: Tensor
    seed: Tensor
    top_k: Tensor | None = None
    top_p: Tensor | None = None
    stop: Tensor | None = None
    stop_lengths: Tensor = None  # given wherever `stop` is
    min_p: Tensor | None = None


def distribution(logits: Tensor, rules: Rules) -> Tensor:
    """Probabilities `(batch, vocabulary)` the next id is drawn with, for logits `(batch, vocabulary)`."""
    mass = weights(tf.cast(logits, tf.float32), inverse_temperature(rules.temperature), rules)
    return mass / tf.reduce_sum(mass, axis=-1, keepdims=True)


def draw(mass: Tensor, numbers: Tensor) -> Tensor:
    """Inverts the cumulative distribution.

    Args:
        mass: `(batch, vocabulary)`, not negative, proportional to the probabilities.
        numbers: uniform numbers `(batch,)` from 0 to below 1.

    Returns:
        int32 `(batch,)`: the first id whose cumulative weight exceeds `numbers` times the total. It always lies in
        the vocabulary, and its weight is above 0, if any is.
    """
    cumulative = tf.cumsum(mass, axis=-1)
    # Comparing all but the last keeps the count inside the vocabulary, whatever the weights.
    passed = cumulative[:, :-1] <= numbers[:, tf.newaxis] * cumulative[:, -1:]
    return tf.reduce_sum(tf.cast(passed, tf.int32), axis=-1)


def inverse_temperature(temperature: Tensor) -> Tensor:
    """Factors `(batch, 1)` of the logits for temperatures `(batch,)`, finite for any of them."""
    positive = temperature > 0
    factor = tf.clip_by_value(1 / tf.where(positive, temperature, 1.0), 1 / _GREEDY, _GREEDY)
    return tf.where(positive, factor, _GREEDY)[:, tf.newaxis]


def weights(logits: Tensor, scale: Tensor, rules: Rules) -> Tensor:
    """Weights `(batch, vocabulary)` for `draw`: probabilities, with those of ids that must not be drawn set to 0.

    Args:
        logits: float32 `(batch, vocabulary)`.
        scale: from `inverse_temperature`.
        rules: how to sample.
    """
    probabilities = tf.nn.softmax(logits * scale)
    if rules.min_p is not None:
        least = rules.min_p[:, tf.newaxis] * tf.reduce_max(probabilities, axis=-1, keepdims=True)
        probabilities = tf.where(probabilities >= least, probabilities, 0.0)
    if rules.top_k is None and rules.top_p is None:
        return probabilities
    return tf.where(probabilities >= _threshold(probabilities, rules), probabilities, 0.0)


def _threshold(probabilities: Tensor, rules: Rules) -> Tensor:
    """Smallest probability `(batch, 1)` that is still drawn; 0 where a row has neither limit."""
    vocabulary = probabilities.shape[-1]
    ordered = tf.math.top_k(probabilities, vocabulary).values
    threshold = tf.zeros_like(ordered[:, :1])
    # ordered `(batch, vocabulary)`, falling: its entry k - 1 is the smallest that top_k still draws.
    if rules.top_k is not None:
        limited = (rules.top_k > 0) & (rules.top_k < vocabulary)
        places = tf.where(limited, rules.top_k, vocabulary) - 1
        threshold = tf.where(limited[:, tf.newaxis], tf.gather(ordered, places[:, tf.newaxis], batch_dims=1), threshold)
    if rules.top_p is not None:
        kept = tf.where(ordered >= threshold, ordered, 0.0)
        needed = rules.top_p[:, tf.newaxis] * tf.reduce_sum(kept, axis=-1, keepdims=True)
        # An id is still needed while those before it have not reached p; the last needed one is the smallest of them.
        inside = tf.cumsum(kept, axis=-1, exclusive=True) < needed
        last = tf.reduce_min(tf.where(inside, ordered, ordered[:, :1]), axis=-1, keepdims=True)
        threshold = tf.where(rules.top_p[:, tf.newaxis] < 1, tf.maximum(threshold, last), threshold)
    return threshold
