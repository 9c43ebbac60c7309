from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st

from rnnapps.decoding.distribution import Rules, distribution, draw
from tests.tasks.translation.toy_steps import VOCABULARY, expected_distribution

LOGITS = st.lists(st.integers(-60, 60), min_size=VOCABULARY, max_size=VOCABULARY)


def rules(rows, *, temperature=1.0, top_k=None, top_p=None, min_p=None):
    def column(value, dtype):
        return None if value is None else tf.constant([value] * rows, dtype)

    return Rules(
        column(temperature, tf.float32),
        column(0, tf.int64),
        column(top_k, tf.int32),
        column(top_p, tf.float32),
        min_p=column(min_p, tf.float32),
    )


@given(
    logits=LOGITS,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    top_k=st.integers(0, VOCABULARY + 2),
    top_p=st.sampled_from([0.013, 0.31, 0.77, 0.993, 1.0]),
)
def test_distribution_equals_numpy(logits, temperature, top_k, top_p):
    logits = np.array(logits, np.float32) / 10
    assume(temperature > 0 or (logits == logits.max()).sum() == 1)
    actual = distribution(logits[None], rules(1, temperature=temperature, top_k=top_k, top_p=top_p))[0]
    np.testing.assert_allclose(actual, expected_distribution(logits, temperature, top_k, top_p), atol=2e-6)


def test_each_row_has_its_own_rules():
    logits = np.tile(np.linspace(0, 3, VOCABULARY, dtype=np.float32), (4, 1))
    mixed = Rules(
        tf.constant([0.0, 1.0, 0.5, 2.0]),
        tf.zeros(4, tf.int64),
        tf.constant([0, 0, 2, 0]),
        tf.constant([1.0, 1.0, 1.0, 0.6]),
    )
    for row, settings in enumerate([(0.0, 0, 1.0), (1.0, 0, 1.0), (0.5, 2, 1.0), (2.0, 0, 0.6)]):
        expected = expected_distribution(logits[row], *settings)
        np.testing.assert_allclose(distribution(logits, mixed)[row], expected, atol=1e-6)


def test_unused_limits_change_nothing_bit_for_bit():
    logits = np.random.default_rng(0).normal(size=(5, 66)).astype(np.float32)
    plain = distribution(logits, rules(5))
    np.testing.assert_array_equal(distribution(logits, rules(5, top_k=0, top_p=1.0)), plain)
    np.testing.assert_array_equal(distribution(logits, rules(5, top_k=66)), plain)


def test_min_p_keeps_what_is_likely_beside_the_likeliest():
    """Of .5, .3, .15 and .05 a quarter of the likeliest is .125; top-p then counts what is left as all there is."""
    logits = np.log(np.array([[0.5, 0.05, 0.3, 0.15]], np.float32))
    np.testing.assert_allclose(distribution(logits, rules(1, min_p=0.25))[0], np.array([50, 0, 30, 15]) / 95, atol=1e-6)
    np.testing.assert_allclose(distribution(logits, rules(1, min_p=1.0))[0], [1, 0, 0, 0])
    both = distribution(logits, rules(1, min_p=0.25, top_p=0.6))[0]
    np.testing.assert_allclose(both, np.array([50, 0, 30, 0]) / 80, atol=1e-6)
    np.testing.assert_array_equal(distribution(logits, rules(1, min_p=0.0)), distribution(logits, rules(1)))


def test_draw_inverts_the_cumulative_distribution_by_hand():
    mass = tf.constant([[0.25, 0.0, 0.5, 0.25, 0.0]] * 6)
    numbers = tf.constant([0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2**-23])
    assert draw(mass, numbers).numpy().tolist() == [0, 0, 2, 2, 3, 3]


def test_greedy_takes_the_lowest_of_equal_ids_and_ignores_tiny_differences_only_in_favour_of_the_greater():
    logits = tf.constant([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0000001], [-np.inf, -5.0, -np.inf]], tf.float32)
    mass = distribution(logits, rules(3, temperature=0.0))
    assert draw(mass, tf.zeros(3)).numpy().tolist() == [1, 2, 1]


@given(
    temperature=st.sampled_from([0.0, 1e-38, 1e-6, 1.0, 1e30, float("inf")]),
    values=st.lists(st.sampled_from([0.0, -1e30, 3e4, -np.inf, 1e-20]), min_size=3, max_size=3),
    number=st.sampled_from([0.0, 0.5, 1 - 2**-23]),
)
def test_finite_weights_and_valid_ids_at_extremes(temperature, values, number):
    logits = np.array([[1.0, *values]], np.float32)
    mass = distribution(logits, rules(1, temperature=temperature, top_k=3, top_p=0.9))
    assert np.isfinite(mass).all()
    drawn = int(draw(mass, tf.constant([number]))[0])
    assert mass[0, drawn] > 0


def test_broken_logits_still_give_an_id_of_the_vocabulary():
    logits = tf.constant([[np.nan] * 4, [np.inf] * 4, [-np.inf] * 4], tf.float32)
    for extra in ({}, {"top_k": 2, "top_p": 0.5}):
        ids = draw(distribution(logits, rules(3, **extra)), tf.constant([0.5] * 3)).numpy()
        assert ((ids >= 0) & (ids < 4)).all()
