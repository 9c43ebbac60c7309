"""Drawing frames from a distribution over keys: what temperature and top-p act on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.decoding.distribution import Rules, draw, inverse_temperature, weights
from rnnapps.tasks.music_generation.key_distribution import KeyTerms
from rnnapps.types import Array, Tensor

__all__ = ["draw_frame", "expected_frame"]

_IMPOSSIBLE = -1e30
"""Stands for the logarithm of 0, and is finite."""

_SMALLEST = 1e-30

_NONE, _SEVERAL, _OPEN = range(3)
"""Keys still to be struck up to the next held one: none, one or more, not drawn yet."""


class _Given(NamedTuple):
    """What is known where a key is struck, for each row; of `strikable` keys, a stretch of all.

    Attributes:
        terms: those of the logits of strikable keys.
        frame: the keys decided so far `(rows, keys)`.
        logits: of the strikable keys, given those.
        among: bool, the strikable keys among which it is.
    """

    terms: KeyTerms
    frame: Tensor
    logits: Tensor
    among: Tensor

    def of_rows(self, rows: Tensor) -> _Given:
        """What is known of some rows only."""
        return _Given(self.terms.of_rows(rows), *(tf.gather(value, rows) for value in self[1:]))


def draw_frame(terms: KeyTerms, numbers: Tensor, rules: Rules, before: Tensor, *, known: Array | None = None) -> Tensor:
    """Draws a frame for each row, from the lowest key to the highest.

    Temperature and top-p decide which keys are struck, never whether one is, nor how many. Were they to act on each
    key, or on the frame as a whole, they would act on silence too: a key with p = 0.03 is the less likely outcome in
    every frame, so that a top_p of 0.95 never strikes it, though one of 30 such keys is struck in most frames. So, with
    s the key above the last one that is decided, h the lowest key from s on that sounded in the frame before, p_i the
    probability of key i given the keys below it, and k from s to h - 1,

        q_k = p_k prod_{s<=i<k} (1 - p_i)                        key k is the first to be struck
        r_k = prod_{k<i<h} (1 - p_i given k)                     and then no other
        P(none) = 1 - sum q_k,  P(one) = sum q_k r_k,  P(several) = sum q_k (1 - r_k)
        P(k | one) ~ (q_k r_k)^(1/T),  P(k is first | several) ~ (q_k (1 - r_k))^(1/T)

    where of each of the last two only the likeliest k that reach top_p together are drawn from. After the first of
    several the next is drawn likewise, given that there is one; behind the last, h is held with p_h. Temperature 1
    with top_p 1 is the distribution as it was learned. At temperature 0 a key is struck or held where that is likelier
    than not, several where that is likelier than one, and the likeliest.

    Args:
        terms: of each row.
        numbers: uniform numbers from 0 to below 1 `(batch, keys)`; each key's number is used once.
        rules: temperature and top_p; what else they hold is not used.
        before: the frame before, 0 or 1 `(batch, keys)`.
        known: bool `(keys,)`, the keys that may be struck; others can be held. None: all.

    Returns:
        float32 `(batch, keys)`, 0 or 1.
    """
    keys = numbers.shape[1]
    places, greedy = tf.range(keys)[None], rules.temperature <= 0
    numbers = tf.where(greedy[:, None], 0.5, numbers)
    may_be = np.ones(keys, bool) if known is None else known
    strikable = slice(int(may_be.argmax()), keys - int(may_be[::-1].argmax()))
    terms_of_strikable = terms.of_keys(strikable)

    def body(begin: Tensor, count: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        above, logits = places >= begin[:, None], terms.logits(frame)
        held = tf.reduce_min(tf.where(above & (before > 0), places, keys), axis=1)
        among = above & (places < held[:, None]) & may_be
        some = -tf.math.expm1(-tf.reduce_sum(_silent(logits, among), axis=1))
        number = tf.math.divide_no_nan(_of_key(numbers, begin), tf.where(count == _SEVERAL, 1.0, some))
        strikes = (count != _NONE) & (some > 0) & (number < 1)
        given = _Given(terms_of_strikable, frame, logits[:, strikable], among[:, strikable])
        # Most turns of a few rows hold a key or let it go, and strike none.
        key, follows = tf.cond(
            tf.reduce_any(strikes),
            lambda: _struck(given, number, rules, strikes, otherwise=held, lowest=strikable.start),
            lambda: (held, tf.fill(tf.shape(held), _OPEN)),
        )
        stays = (held < keys) & (_of_key(numbers, held) < tf.sigmoid(_of_key(logits, held)))
        frame += tf.where(strikes | stays, 1.0, 0.0)[:, None] * tf.one_hot(key, keys)
        return key + 1, follows, frame

    start = (tf.zeros_like(greedy, tf.int32), tf.fill(tf.shape(greedy), _OPEN), tf.zeros_like(numbers))
    # Each turn decides a key, struck or held, but for the last.
    return tf.while_loop(lambda begin, *_: tf.reduce_any(begin < keys), body, start, maximum_iterations=keys + 1)[2]


def _of_key(values: Tensor, key: Tensor) -> Tensor:
    """Each row's value of its key, of `(batch, keys)`; the highest key's behind it."""
    return tf.gather(values, tf.minimum(key, values.shape[1] - 1), batch_dims=1)


def _silent(logits: Tensor, among: Tensor) -> Tensor:
    """-log(1 - p) of keys, 0 of those that are not `among` them: `(..., keys)`."""
    return tf.where(among, tf.nn.softplus(logits), 0.0)


def _struck(
    given: _Given, number: Tensor, rules: Rules, strikes: Tensor, *, otherwise: Tensor, lowest: int
) -> tuple[Tensor, Tensor]:
    """The first key that is struck in each row that `strikes`, `otherwise` in others, and what is left to be struck.

    `lowest` is the lowest of the strikable keys.
    """
    rows = tf.where(strikes)[:, 0]
    own = Rules(*(None if rule is None else tf.gather(rule, rows) for rule in rules))
    first, alone = _first_struck(given.of_rows(rows), tf.gather(number, rows), own, lowest=lowest)
    key = tf.tensor_scatter_nd_update(otherwise, rows[:, None], first)
    follows = tf.fill(tf.shape(strikes), _OPEN)
    return key, tf.tensor_scatter_nd_update(follows, rows[:, None], tf.where(alone, _NONE, _SEVERAL))


def _first_struck(given: _Given, number: Tensor, rules: Rules, *, lowest: int) -> tuple[Tensor, Tensor]:
    """The first key that is struck, and whether it is the only one, in rows where one or several are.

    Args:
        given: what is known.
        number: uniform numbers from 0 to below 1 `(rows,)`.
        rules: how to choose.
        lowest: of the strikable keys.
    """
    greedy = rules.temperature <= 0
    log_q = -tf.nn.softplus(-given.logits)
    log_q -= tf.cumsum(_silent(given.logits, given.among), axis=1, exclusive=True)
    others = _others_silent(given, lowest)
    alone = tf.where(given.among, log_q - others, _IMPOSSIBLE)
    more = log_q + tf.math.log(-tf.math.expm1(-tf.maximum(others, _SMALLEST)))
    more = tf.where(given.among & (others > 0), more, _IMPOSSIBLE)
    one, several = (tf.reduce_sum(tf.exp(chances), axis=1) for chances in (alone, more))
    one = tf.math.divide_no_nan(one, one + several)
    only = tf.where(greedy, one >= 0.5, number < one)
    left = tf.where(only, tf.math.divide_no_nan(number, one), tf.math.divide_no_nan(number - one, 1 - one))
    chances = tf.where(only[:, None], alone, more)
    highest = tf.reduce_max(chances, axis=1, keepdims=True)
    relative = tf.where(chances > _IMPOSSIBLE, chances - highest, -float("inf"))
    mass = weights(relative, inverse_temperature(rules.temperature), rules)
    return lowest + draw(mass, tf.where(greedy, 0.0, left)), only


def _others_silent(given: _Given, lowest: int) -> Tensor:
    """-log r `(rows, strikable keys)`: of each key that may be the first, over the keys above it; 0 of others.

    Few keys may be: those above the last one decided, below the next one held, that training pieces know.
    """
    pairs = tf.where(given.among)
    row, key = pairs[:, 0], pairs[:, 1]
    above = tf.gather(given.among, row) & (tf.range(given.logits.shape[1], dtype=key.dtype) > key[:, None])
    logits = given.terms.logits_with(given.frame, row, lowest + key)
    silent = tf.reduce_sum(_silent(logits, above), axis=1)
    return tf.scatter_nd(pairs, silent, tf.shape(given.logits, key.dtype))


def expected_frame(terms: KeyTerms, threshold: Tensor) -> Tensor:
    """The frames of the keys whose probability, given the expected ones below them, exceeds a threshold.

    Args:
        terms: of each row.
        threshold: scalar, above 0 and below 1.

    Returns:
        float32 `(batch, keys)`, 0 or 1.
    """
    keys = terms.base.shape[-1]
    places, lowest = tf.range(keys)[None], tf.math.log(threshold) - tf.math.log1p(-threshold)

    def body(begin: Tensor, frame: Tensor) -> tuple[Tensor, Tensor]:
        likely = (places >= begin[:, None]) & (terms.logits(frame) > lowest)
        key = tf.reduce_min(tf.where(likely, places, keys), axis=1)
        return key + 1, frame + tf.one_hot(key, keys)

    start = (tf.zeros_like(terms.base[:, 0], tf.int32), tf.zeros_like(terms.base))
    return tf.while_loop(lambda begin, _: tf.reduce_any(begin < keys), body, start, maximum_iterations=keys + 1)[1]
