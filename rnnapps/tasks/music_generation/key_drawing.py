"""Drawing frames from a distribution over keys: what temperature and top-p act on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.decoding.distribution import Rules, draw, inverse_temperature, weights
from rnnapps.tasks.music_generation.key_distribution import KeyTerms
from rnnapps.types import Array, Tensor, Tensors

__all__ = ["draw_frame", "expected_frame"]

_IMPOSSIBLE = -1e30
"""Stands for the logarithm of 0, and is finite."""

_SMALLEST = 1e-30

_STEP_OF_NUMBERS = 2.0**-23
"""Uniform numbers are multiples of it: what is less likely is not drawn."""

_NONE, _SEVERAL, _OPEN = range(3)
"""Keys still to be struck up to the next held one: none, one or more, not drawn yet."""


class _Asked(NamedTuple):
    """What each row asks for.

    Attributes:
        numbers: uniform numbers `(batch, keys)`.
        rules: temperature and top_p.
        as_learned: bool `(batch,)`, whether these change nothing.
        sounded: bool `(batch, keys)`, the keys of the frame before.
        strikable: bool `(keys,)`, the keys that may be struck.
    """

    numbers: Tensor
    rules: Rules
    as_learned: Tensor
    sounded: Tensor
    strikable: Array

    @property
    def may_sound(self) -> Tensor:
        """Bool `(batch, keys)`, the keys that may be struck or held."""
        return self.sounded | self.strikable


class _Given(NamedTuple):
    """What is known where a key is struck, for each row; of a stretch of all keys, those that may be.

    Attributes:
        terms: those of the logits of these keys, given the keys decided so far.
        among: bool `(batch, stretch)`, the keys among which it is; none in rows that strike no key.
        first: logarithm of the probability that a key is the first of them `(batch, stretch)`.
        lowest: key of the stretch.
    """

    terms: KeyTerms
    among: Tensor
    first: Tensor
    lowest: int


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
    several the next is drawn likewise, given that there is one; behind the last, h is held with p_h. At temperature 0 a
    key is struck or held where that is likelier than not, several where that is likelier than one, and the likeliest.

    Temperature 1 with top_p 1 is the distribution as it was learned: rows that ask for it draw the next key that
    sounds, struck or held, by q_k alone.

    Args:
        terms: of each row.
        numbers: uniform numbers from 0 to below 1 `(batch, keys)`; each key's number is used once.
        rules: temperature and top_p; what else they hold is not used.
        before: the frame before, 0 or 1 `(batch, keys)`.
        known: bool `(keys,)`, the keys that may be struck; others can be held. None: all.

    Returns:
        float32 `(batch, keys)`, 0 or 1.
    """
    strikable = np.ones(numbers.shape[1], bool) if known is None else known
    as_learned = tf.equal(rules.temperature, 1.0)
    if rules.top_p is not None:
        as_learned &= rules.top_p >= 1
    numbers = tf.where((rules.temperature <= 0)[:, None], 0.5, numbers)
    asked = _Asked(numbers, rules, as_learned, before > 0, strikable)
    frames: Tensor = tf.cond(
        tf.reduce_all(as_learned), lambda: _drawn_as_learned(terms, asked), lambda: _drawn_by_rules(terms, asked)
    )
    return frames


def _drawn_as_learned(terms: KeyTerms, asked: _Asked) -> Tensor:
    """`draw_frame` where no row asks for anything else."""
    keys = asked.numbers.shape[1]
    places, may_sound = tf.range(keys)[None], asked.may_sound

    def body(begin: Tensor, frame: Tensor, sums: Tensors) -> tuple[Tensor, Tensor, Tensors]:
        now = terms.with_sums(sums)
        passed = _passed(now.logits(), (places >= begin[:, None]) & may_sound)
        key = _first_to_sound(passed, _of_key(asked.numbers, begin))
        return key + 1, frame + tf.one_hot(key, keys), now.with_key(key, key < keys).sums

    start = (tf.zeros_like(terms.base[:, 0], tf.int32), tf.zeros_like(terms.base), terms.sums)
    # Each turn decides a key that sounds, but for the last.
    return tf.while_loop(lambda begin, *_: tf.reduce_any(begin < keys), body, start, maximum_iterations=keys + 1)[1]


def _drawn_by_rules(terms: KeyTerms, asked: _Asked) -> Tensor:
    """`draw_frame` for rows of any kind; those that are drawn as learned have the bits of `_drawn_as_learned`."""
    keys = asked.numbers.shape[1]
    places, may_sound, ruled = tf.range(keys)[None], asked.may_sound, ~asked.as_learned
    may_be_held = asked.sounded & ruled[:, None]
    stretch = slice(int(asked.strikable.argmax()), keys - int(asked.strikable[::-1].argmax()))

    def body(begin: Tensor, count: Tensor, frame: Tensor, sums: Tensors) -> tuple[Tensor, Tensor, Tensor, Tensors]:
        now, above, number = terms.with_sums(sums), places >= begin[:, None], _of_key(asked.numbers, begin)
        logits = now.logits()
        held = tf.reduce_min(tf.where(above & may_be_held, places, keys), axis=1)
        among = above & (places < held[:, None]) & may_sound
        passed = _passed(logits, among)
        some = -tf.math.expm1(-passed[:, -1])
        left = tf.math.divide_no_nan(number, tf.where(tf.equal(count, _SEVERAL), 1.0, some))
        strikes = ruled & tf.not_equal(count, _NONE) & (some > 0) & (left < 1)
        given = _Given(
            now.of_keys(stretch),
            (among & strikes[:, None])[:, stretch],
            (logits - passed)[:, stretch],  # log p_k + log prod (1 - p_i), as log p - log(1 - p) = logit
            stretch.start,
        )
        # Most turns of a few rows hold a key or let it go, and strike none.
        key, follows = tf.cond(
            tf.reduce_any(strikes),
            lambda: _struck(given, left, asked.rules, strikes, otherwise=held),
            lambda: (held, tf.fill(tf.shape(held), _OPEN)),
        )
        stays = _of_key(asked.numbers, held) < tf.sigmoid(_of_key(logits, held))
        key = tf.where(ruled, key, _first_to_sound(passed, number))
        sounds = (strikes | stays | asked.as_learned) & (key < keys)
        frame += tf.one_hot(tf.where(sounds, key, keys), keys)
        return key + 1, follows, frame, now.with_key(key, sounds).sums

    nothing = tf.zeros_like(terms.base[:, 0], tf.int32)
    start = (nothing, tf.fill(tf.shape(nothing), _OPEN), tf.zeros_like(terms.base), terms.sums)
    # Each turn decides a key, struck or held, but for the last.
    return tf.while_loop(lambda begin, *_: tf.reduce_any(begin < keys), body, start, maximum_iterations=keys + 1)[2]


def _of_key(values: Tensor, key: Tensor) -> Tensor:
    """Each row's value of its key, of `(batch, keys)`; the highest key's behind it."""
    return tf.gather(values, tf.minimum(key, values.shape[1] - 1), batch_dims=1)


def _silent(logits: Tensor, among: Tensor) -> Tensor:
    """-log(1 - p) of keys, 0 of those that are not `among` them: `(..., keys)`."""
    return tf.where(among, tf.nn.softplus(logits), 0.0)


def _passed(logits: Tensor, among: Tensor) -> Tensor:
    """-log of the probability that no key up to each sounds, of those `among` them `(batch, keys)`."""
    return tf.cumsum(_silent(logits, among), axis=1)


def _first_to_sound(passed: Tensor, number: Tensor) -> Tensor:
    """The first key that sounds, one behind the last for none, int32 `(batch,)`: the first with 1 - e^-passed > u."""
    return tf.reduce_sum(tf.cast(passed <= -tf.math.log1p(-number)[:, None], tf.int32), axis=1)


def _struck(
    given: _Given, number: Tensor, rules: Rules, strikes: Tensor, *, otherwise: Tensor
) -> tuple[Tensor, Tensor]:
    """The first key that is struck in each row that `strikes`, `otherwise` in others, and what is left to be struck.

    `number` is uniform from 0 to below 1 in the rows that strike.
    """
    greedy, may_be_first = rules.temperature <= 0, _likely_first(given, rules.temperature)
    others = _others_silent(given, may_be_first)
    first = tf.where(may_be_first, tf.exp(given.first), 0.0)
    one = tf.math.divide_no_nan(tf.reduce_sum(first * tf.exp(-others), axis=1), tf.reduce_sum(first, axis=1))
    only = tf.where(greedy, one >= 0.5, number < one)
    left = tf.where(only, tf.math.divide_no_nan(number, one), tf.math.divide_no_nan(number - one, 1 - one))
    then = tf.where(only[:, None], -others, tf.math.log(-tf.math.expm1(-tf.maximum(others, _SMALLEST))))
    possible = may_be_first & (only[:, None] | (others > 0))
    chances = tf.where(possible, given.first + then, _IMPOSSIBLE)
    relative = tf.where(possible, chances - tf.reduce_max(chances, axis=1, keepdims=True), -float("inf"))
    mass = weights(relative, inverse_temperature(rules.temperature), rules)
    key = given.lowest + draw(mass, tf.where(greedy, 0.0, left))
    return tf.where(strikes, key, otherwise), tf.where(strikes, tf.where(only, _NONE, _SEVERAL), _OPEN)


def _likely_first(given: _Given, temperature: Tensor) -> Tensor:
    """The keys that may be the first, but for those that are so unlikely, beside the likeliest, that none is drawn."""
    first = tf.where(given.among, given.first, _IMPOSSIBLE)
    furthest = math.log(_STEP_OF_NUMBERS) * tf.maximum(temperature, 1.0)[:, None]
    return given.among & (first >= tf.reduce_max(first, axis=1, keepdims=True) + furthest)


def _others_silent(given: _Given, may_be_first: Tensor) -> Tensor:
    """-log r `(batch, stretch)`: of each key that may be the first, over the keys above it; 0 of others."""
    pairs = tf.where(may_be_first)
    row, key = pairs[:, 0], pairs[:, 1]
    above = tf.gather(given.among, row) & (tf.range(given.among.shape[1], dtype=key.dtype) > key[:, None])
    silent = tf.reduce_sum(_silent(given.terms.logits_with(row, given.lowest + key), above), axis=1)
    return tf.scatter_nd(pairs, silent, tf.shape(given.among, key.dtype))


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
