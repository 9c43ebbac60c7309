from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.metrics import ngram_baselines
from rnnapps.metrics.gram_counts import count_grams
from rnnapps.metrics.ngram import KneserNey, expected_symbols, score_orders
from rnnapps.metrics.ngram_baselines import best_order, ngram_losses

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


@given(train=st.lists(st.integers(0, VOCABULARY - 1), min_size=7, max_size=60), texts=st.lists(IDS, max_size=3))
def test_all_orders_are_scored_from_one_count(train, texts):
    arrays = [np.array(text) for text in texts]
    orders = []
    for order, scores in score_orders(np.array(train), arrays, longest=7, vocabulary_size=VOCABULARY):
        orders.append(order)
        model = KneserNey(np.array(train), order=order, vocabulary_size=VOCABULARY)
        for text, score in zip(arrays, scores, strict=True):
            np.testing.assert_allclose(score, model.log_probabilities(text), rtol=1e-12)
    assert orders == [1, 2, 3, 4, 5, 6, 7]


@given(ids=st.lists(st.integers(0, 3), min_size=6, max_size=40), size=st.sampled_from([4, 70_000, 2**40]))
def test_grams_are_counted_as_a_dictionary_counts_them(ids, size):
    """Whatever fits into the words that are sorted: one symbol of 41 bits, or all of them."""
    ranks: list[tuple[int, ...]] = [()]
    for length, grams in enumerate(count_grams(np.array(ids), 6, size), start=1):
        windows = Counter(tuple(ids[at : at + length]) for at in range(len(ids) - length + 1))
        before = {tuple(ids[at : at + length + 1]) for at in range(len(ids) - length)}
        expected = sorted(windows)
        assert [(*ranks[key // size], key % size) for key in grams.keys.tolist()] == expected
        assert grams.counts.tolist() == [windows[gram] for gram in expected] and grams.contexts == len(ranks)
        if grams.neighbours is not None:
            assert grams.neighbours.tolist() == [sum(gram[1:] == own for gram in before) for own in expected]
        ranks = expected
    assert length == 6 and grams.neighbours is None


def test_the_order_suits_the_text():
    """Symbols that six others decide need seven-grams: shorter ones guess, longer ones are scarce."""
    random = np.random.default_rng(0)
    table, ids = random.integers(0, 3, 3**6), random.integers(0, 3, 6).tolist()
    for _ in range(12_000):
        context = int("".join(map(str, ids[-6:])), 3)
        ids.append(int(table[context]) if random.random() < 0.9 else int(random.integers(0, 3)))
    train, held_out = np.array(ids[:10_000]), np.array(ids[10_000:])
    assert best_order(train, vocabulary_size=3) == 7
    losses = ngram_losses(train, held_out, vocabulary_size=3)
    assert list(losses) == ["unigram", "7-gram Kneser-Ney"]
    means = {
        order: -KneserNey(train, order=order, vocabulary_size=3).log_probabilities(held_out)[1:].mean()
        for order in range(1, 13)
    }
    assert losses["7-gram Kneser-Ney"].mean() == pytest.approx(min(means.values()))
    assert losses["unigram"].mean() == pytest.approx(means[1])


def test_the_commonest_after_the_longest_known_context_is_expected():
    train = np.array([0, 1, 2, 0, 1, 3, 0, 1, 3, 4, 1, 2, 2])
    text = np.array([3, 0, 1, 4, 1, 2, 5, 0])
    # 0 is one of the commonest; after 3 come 0 and 4; after 0 1 twice 3; after 1 alone 3 comes twice and 2 twice;
    # after 4 1; after 4 1 comes 2; after 1 2 come 0 and 2; after 5, which is unknown, the commonest of all.
    expected = [1, 0, 1, 3, 1, 2, 0, 1]
    assert expected_symbols(train, text, order=3, vocabulary_size=6).tolist() == expected
    assert expected_symbols(train, text, order=1, vocabulary_size=6).tolist() == [1] * 8
    assert expected_symbols(train, np.array([4, 1, 0]), order=2, vocabulary_size=6).tolist() == [1, 1, 2]


def test_the_order_is_chosen_without_the_held_out_text():
    train = np.array([0, 1, 2, 3, 4] * 100)
    orders = {next(reversed(ngram_losses(train, text, vocabulary_size=5))) for text in (train[:90], train[90::-1])}
    assert len(orders) == 1


def test_a_long_training_text_is_cut(monkeypatch):
    train = np.concatenate([np.zeros(5_000, int), np.tile([1, 2, 3], 1_000)])
    monkeypatch.setattr(ngram_baselines, "MOST_SYMBOLS", 3_000)
    cut = ngram_losses(train, train[-300:], vocabulary_size=4)
    for name, losses in ngram_losses(train[-3_000:], train[-300:], vocabulary_size=4).items():
        np.testing.assert_array_equal(cut[name], losses)


def test_what_is_too_short_for_n_grams_has_the_unigram_alone():
    held_out = np.array([0, 1, 0])
    for length in (2, 3):
        assert list(ngram_losses(np.array([0, 1, 0])[:length], held_out, vocabulary_size=2)) == ["unigram"]
    losses = ngram_losses(np.array([0, 1, 0, 1, 0, 1]), held_out, vocabulary_size=2)
    assert len(losses) == 2 and all(len(own) == 2 for own in losses.values())


@pytest.mark.parametrize(("ids", "order"), [([0, 1], 3), ([0, 9], 1), ([-1, 0], 1), ([], 1)])
def test_bad_ids_are_refused(ids, order):
    with pytest.raises(ValueError, match="ids"):
        KneserNey(np.array(ids, int), order=order, vocabulary_size=3)


def test_the_first_id_is_context_only():
    model = KneserNey(np.array([0, 1, 0, 1, 0, 2]), order=2, vocabulary_size=4)
    text = np.array([2, 0, 1, 3])
    assert model.nats_per_character(text) == pytest.approx(-np.mean(model.log_probabilities(text)[1:]))


def test_the_first_id_outside_of_the_vocabulary():
    with pytest.raises(ValueError, match="ids must lie in 0 to 2"):
        KneserNey(np.array([0, 3]), order=1, vocabulary_size=3)
    assert KneserNey(np.array([0, 2]), order=1, vocabulary_size=3).vocabulary_size == 3
