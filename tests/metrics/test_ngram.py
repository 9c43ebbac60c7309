from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.metrics.ngram import KneserNey, baselines

VOCABULARY = 5
IDS = st.lists(st.integers(0, VOCABULARY - 1), min_size=5, max_size=60)


def reference_probability(ids, order, context, word):
    """Interpolated Kneser-Ney by its definition, with dictionaries and recursion."""

    def grams(size):
        return [tuple(ids[at : at + size]) for at in range(len(ids) - size + 1)]

    def counts(size):
        if size == order:
            return Counter(grams(size))
        left = {gram for gram in grams(size + 1)}
        return Counter(gram[1:] for gram in left)

    def probability(size, context):
        if size == 0:
            return 1 / VOCABULARY
        table = counts(size)
        once = sum(count == 1 for count in table.values())
        twice = sum(count == 2 for count in table.values())
        discount = once / (once + 2 * twice) if once and twice else 0.5
        after = {gram: count for gram, count in table.items() if gram[:-1] == context}
        lower = probability(size - 1, context[1:])
        if not after:
            return lower
        total = sum(after.values())
        kept = max(table.get((*context, word), 0) - discount, 0)
        return (kept + discount * len(after) * lower) / total

    size = min(order, len(context) + 1)
    return probability(size, tuple(context[len(context) - size + 1 :]))


@given(train=IDS, text=IDS, order=st.integers(1, 5))
def test_equals_the_definition(train, text, order):
    actual = KneserNey(np.array(train), order=order, vocabulary_size=VOCABULARY).log_probabilities(np.array(text))
    expected = [reference_probability(train, order, text[:at], word) for at, word in enumerate(text)]
    np.testing.assert_allclose(np.exp(actual), expected, rtol=1e-12)


@given(train=IDS, context=st.lists(st.integers(0, VOCABULARY - 1), max_size=6), order=st.integers(1, 5))
def test_probabilities_sum_to_one_and_are_positive(train, context, order):
    model = KneserNey(np.array(train), order=order, vocabulary_size=VOCABULARY)
    probabilities = [math.exp(model.log_probabilities(np.array([*context, word]))[-1]) for word in range(VOCABULARY)]
    assert min(probabilities) > 0
    assert sum(probabilities) == pytest.approx(1, abs=1e-12)


def test_bigram_by_hand():
    # a b a b a c: bigram counts ab 2, ba 2, ac 1 -> D = 1/(1+2*2) = 1/5.
    # Left neighbours: a {b} 1, b {a} 1, c {a} 1 -> no count of 2, D = 1/2; unigram p = (1 - 1/2)/3 + (1/2*3)/3 * 1/4.
    model = KneserNey(np.array([0, 1, 0, 1, 0, 2]), order=2, vocabulary_size=4)
    unigram = 1 / 6 + 1 / 8
    bigram = (2 - 1 / 5) / 3 + (1 / 5 * 2 / 3) * unigram
    np.testing.assert_allclose(np.exp(model.log_probabilities(np.array([0, 1]))), [unigram, bigram], rtol=1e-13)
    unseen = np.exp(model.log_probabilities(np.array([2, 3])))[1]
    assert unseen == pytest.approx(1 / 8)  # c was never followed by anything: the unigram share of an unseen id


def test_an_unknown_id_has_the_uniform_share():
    ids = np.array([1, 2] * 50)
    score = -KneserNey(ids, order=5, vocabulary_size=3).log_probabilities(np.array([1, 0, 1]))
    # After one symbol: half of the bigram's weight goes to the unigram, half of that to the uniform distribution.
    assert np.isfinite(score).all() and score[1] == pytest.approx(math.log(2 * 2 * 3))


def test_large_vocabularies_do_not_overflow():
    generator = np.random.default_rng(1)
    train = generator.integers(0, 1_000_000, 3000)
    model = KneserNey(train, order=5, vocabulary_size=1_000_000)
    again = model.log_probabilities(train)
    assert np.isfinite(again).all() and again[10:].max() < 0 and again[10:].min() > math.log(1e-3)


def test_a_fifth_order_source_is_learned():
    pattern = np.array(list(itertools.chain.from_iterable([0, 0, 0, 0, one] for one in (1, 2, 3))) * 40)
    score = baselines(pattern, pattern[:100], vocabulary_size=4)
    assert score["unigram"]["nats_per_character"] > 0.6
    assert score["5-gram Kneser-Ney"]["nats_per_character"] < 0.25
    ratio = score["unigram"]["nats_per_character"] / score["unigram"]["bits_per_character"]
    assert ratio == pytest.approx(math.log(2))


@pytest.mark.parametrize(("ids", "order"), [([0, 1], 3), ([0, 9], 1), ([-1, 0], 1), ([], 1)])
def test_bad_ids_are_refused(ids, order):
    with pytest.raises(ValueError, match="ids"):
        KneserNey(np.array(ids, int), order=order, vocabulary_size=3)


def test_the_first_id_is_context_only():
    model = KneserNey(np.array([0, 1, 0, 1, 0, 2]), order=2, vocabulary_size=4)
    text = np.array([2, 0, 1, 3])
    assert model.nats_per_character(text) == pytest.approx(-np.mean(model.log_probabilities(text)[1:]))


def test_baselines_need_as_many_ids_as_their_order():
    train, held_out = np.array([0, 1, 0, 1, 0]), np.array([0, 1, 0])
    assert list(baselines(train, held_out, vocabulary_size=2)) == ["unigram", "5-gram Kneser-Ney"]
    assert list(baselines(train[:4], held_out, vocabulary_size=2)) == ["unigram"]
    assert list(baselines(train, held_out, vocabulary_size=2, order=2)) == ["unigram", "2-gram Kneser-Ney"]
    unigram = KneserNey(train, order=1, vocabulary_size=2).nats_per_character(held_out)
    assert baselines(train, held_out, vocabulary_size=2)["unigram"]["nats_per_character"] == unigram
    assert KneserNey(train, order=5, vocabulary_size=2).order == 5


def test_the_first_id_outside_of_the_vocabulary():
    with pytest.raises(ValueError, match="ids must lie in 0 to 2"):
        KneserNey(np.array([0, 3]), order=1, vocabulary_size=3)
    assert KneserNey(np.array([0, 2]), order=1, vocabulary_size=3).vocabulary_size == 3
