"""Unigram and n-gram baselines: interpolated Kneser-Ney smoothing over ids, with exact probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = ["KneserNey", "baselines"]


@dataclass(frozen=True)
class _Order:
    """The statistics of one order k: its distinct k-grams and the contexts they extend.

    A k-gram is identified by its rank among the distinct ones; `keys` are sorted and combine the rank of its first
    k-1 symbols with its last symbol, so that 64-bit integers suffice for any order and vocabulary.
    """

    keys: Array
    counts: Array
    context_totals: Array
    context_types: Array
    discount: float


class KneserNey:
    """An n-gram model with interpolated Kneser-Ney smoothing and one absolute discount for each order.

        p_k(w | c) = max(count(c w) - D, 0) / count(c) + D * types(c) / count(c) * p_{k-1}(w | c without its first)

    The highest order counts occurrences, the lower ones distinct left neighbours; below the unigram lies the uniform
    distribution over the vocabulary, so that every id, an unknown character's too, has a probability above 0. A
    context never seen passes all its weight on to the next lower order. For every context the probabilities sum to 1.

    Source: Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1998, section 2.7
    (Kneser-Ney, interpolated); D = n1 / (n1 + 2 n2) as in their equation for absolute discounting.

    Args:
        ids: training ids `(characters,)`, at least `order` of them, from 0 to below `vocabulary_size`.
        order: length of the n-grams, at least 1.
        vocabulary_size: number of ids.

    Raises:
        ValueError: fewer ids than `order`, or ids outside the vocabulary.
    """

    def __init__(self, ids: Array, *, order: int, vocabulary_size: int) -> None:
        self.order, self.vocabulary_size = order, vocabulary_size
        symbols = self._checked(ids)
        if order < 1 or len(symbols) < order:
            raise ValueError(f"{len(symbols)} ids are too few for {order}-grams")
        self._orders = [
            _statistics(keys, counts, vocabulary_size, contexts)
            for keys, counts, contexts in _distinct_grams(symbols, order, vocabulary_size)
        ]

    def log_probabilities(self, ids: Array) -> Array:
        """Natural logarithms of the probability of each id given the up to `order - 1` ids before it.

        Args:
            ids: ids `(characters,)` from 0 to below `vocabulary_size`.

        Returns:
            float64 `(characters,)`.

        Raises:
            ValueError: ids outside the vocabulary.
        """
        symbols = self._checked(ids)
        probability = np.full(len(symbols), 1 / self.vocabulary_size)
        ranks = np.zeros(len(symbols), np.int64)
        for number, order in enumerate(self._orders):
            # The context of a position is the gram of one symbol less that ends just before it; -1: never seen.
            context = ranks if number == 0 else np.concatenate([[-1], ranks[:-1]])[: len(symbols)]
            ranks = _find(order.keys, np.where(context < 0, -1, context * self.vocabulary_size + symbols))
            total = np.where(context < 0, 0, order.context_totals[context])
            count = np.where(ranks < 0, 0, order.counts[ranks])
            kept = np.maximum(count - order.discount, 0.0)
            passed_on = order.discount * order.context_types[context]
            mixed = (kept + passed_on * probability) / np.maximum(total, 1)
            probability = np.where(total > 0, mixed, probability)
        result: Array = np.log(probability)
        return result

    def nats_per_character(self, ids: Array) -> float:
        """Mean negative log-probability of all ids but the first, which a network only gets as context."""
        return float(-self.log_probabilities(ids)[1:].mean())

    def _checked(self, ids: Array) -> Array:
        """The ids as int64, if the vocabulary has them all."""
        symbols = np.asarray(ids, np.int64)
        if len(symbols) and (symbols.min() < 0 or symbols.max() >= self.vocabulary_size):
            raise ValueError(f"ids must lie in 0 to {self.vocabulary_size - 1}")
        return symbols


def baselines(train: Array, held_out: Array, *, vocabulary_size: int, order: int = 5) -> dict[str, dict[str, float]]:
    """Scores a unigram and an n-gram model of the training ids on held-out ids.

    Args:
        train: training ids `(characters,)`.
        held_out: ids to score `(characters,)`; all but the first are scored.
        vocabulary_size: number of ids.
        order: length of the n-grams of the second baseline.

    Returns:
        {"unigram": ..., "5-gram Kneser-Ney": ...}, each with nats and bits per character.
    """
    from rnnapps.metrics.text import per_character

    names = {"unigram": 1, f"{order}-gram Kneser-Ney": order}
    scores = {
        name: KneserNey(train, order=length, vocabulary_size=vocabulary_size).nats_per_character(held_out)
        for name, length in names.items()
        if length <= len(train)
    }
    return {name: per_character(nats) for name, nats in scores.items()}


def _distinct_grams(symbols: Array, order: int, vocabulary_size: int) -> list[tuple[Array, Array, int]]:
    """For every order up to `order`: keys of the distinct grams, their counts, and the number of possible contexts."""
    grams: list[tuple[Array, Array, int]] = []
    # ranks[j] identifies the gram that starts at symbol j; at first the empty one, which all are.
    ranks, contexts = np.zeros(len(symbols) + 1, np.int64), 1
    for length in range(1, order + 1):
        shorter = ranks
        keys, first, ranks, counts = np.unique(
            shorter[:-1] * vocabulary_size + symbols[length - 1 :],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        if grams:
            neighbours = np.bincount(shorter[1:][first], minlength=contexts)
            grams[-1] = (grams[-1][0], neighbours, grams[-1][2])
        grams.append((keys, counts, contexts))
        contexts = len(keys)
    return grams


def _statistics(keys: Array, counts: Array, vocabulary_size: int, contexts: int) -> _Order:
    """What smoothing needs of the n-grams of one order."""
    prefixes = keys // vocabulary_size
    return _Order(
        keys=keys,
        counts=counts,
        context_totals=np.bincount(prefixes, weights=counts, minlength=contexts),
        context_types=np.bincount(prefixes, weights=counts > 0, minlength=contexts),
        discount=_discount(counts),
    )


def _discount(counts: Array) -> float:
    """What Kneser-Ney smoothing takes off each count, estimated from how many are 1 and 2."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return once / (once + 2 * twice) if once and twice else 0.5


def _find(keys: Array, wanted: Array) -> Array:
    """Places of the wanted keys among the sorted ones, -1 where absent."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
