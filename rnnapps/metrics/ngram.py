"""N-gram models of ids: interpolated Kneser-Ney smoothing, with exact probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnapps.metrics.gram_counts import Grams, count_grams
from rnnapps.types import Array

__all__ = ["KneserNey", "discount", "expected_symbols", "score_orders"]


@dataclass(frozen=True)
class _Order:
    """The statistics of one order k: its distinct k-grams (see `Grams.keys`) and the contexts they extend."""

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
            _statistics(grams, grams.counts if grams.neighbours is None else grams.neighbours, vocabulary_size)
            for grams in count_grams(symbols, order, vocabulary_size)
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
        walk = _Walk.start(self._checked(ids), self.vocabulary_size)
        for order in self._orders:
            walk = walk.longer(order.keys)
            walk = replace(walk, probability=walk.mixed(order))
        result: Array = np.log(walk.probability)
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


def score_orders(
    train: Array, texts: Sequence[Array], *, longest: int, vocabulary_size: int
) -> Iterator[tuple[int, list[Array]]]:
    """Scores texts by the model of each order from 1 to the longest, from one count of the training text.

    What `KneserNey(train, order=...).log_probabilities(text)` gives for each, without counting again for each order,
    and with the statistics of one order in memory at a time.

    Args:
        train: training ids `(symbols,)`, at least `longest` of them.
        texts: ids to score, from 0 to below `vocabulary_size`.
        longest: the longest n-grams.
        vocabulary_size: number of ids.

    Yields:
        Order, and the natural logarithms of the probabilities of each text.
    """
    walks = [_Walk.start(np.asarray(text, np.int64), vocabulary_size) for text in texts]
    for order, grams in enumerate(count_grams(np.asarray(train, np.int64), longest, vocabulary_size), start=1):
        walks = [walk.longer(grams.keys) for walk in walks]
        highest = _statistics(grams, grams.counts, vocabulary_size)
        yield order, [np.log(walk.mixed(highest)) for walk in walks]
        if grams.neighbours is not None:
            lower = _statistics(grams, grams.neighbours, vocabulary_size)
            walks = [replace(walk, probability=walk.mixed(lower)) for walk in walks]


def expected_symbols(train: Array, text: Array, *, order: int, vocabulary_size: int) -> Array:
    """The commonest symbol after the longest context, of up to `order - 1` symbols, that the training text has.

    Args:
        train: training ids `(symbols,)`, at least `order` of them.
        text: ids `(symbols,)`; each is expected from those before it.
        order: length of the n-grams.
        vocabulary_size: number of ids.

    Returns:
        int64 `(symbols,)`, of equally common ones the smallest id.
    """
    walk = _Walk.start(np.asarray(text, np.int64), vocabulary_size)
    expected = np.zeros(len(text), np.int64)
    for grams in count_grams(np.asarray(train, np.int64), order, vocabulary_size):
        walk = walk.longer(grams.keys)
        contexts, symbols = np.divmod(grams.keys, vocabulary_size)
        ranked = np.lexsort((symbols, -grams.counts, contexts))
        followed, first = np.unique(contexts[ranked], return_index=True)
        commonest = np.full(grams.contexts, -1)
        commonest[followed] = symbols[ranked[first]]
        known = np.where(walk.contexts < 0, -1, commonest[walk.contexts])
        expected = np.where(known < 0, expected, known)
    return expected


@dataclass(frozen=True)
class _Walk:
    """A text that is scored order by order.

    Attributes:
        symbols: its ids `(symbols,)`.
        vocabulary_size: number of ids.
        probability: of each symbol by the orders so far `(symbols,)`.
        contexts: rank of the n-gram that ends before each symbol, -1 where it was never seen `(symbols,)`.
        ranks: the same of the n-gram that ends with it.
    """

    symbols: Array
    vocabulary_size: int
    probability: Array
    contexts: Array
    ranks: Array

    @classmethod
    def start(cls, symbols: Array, vocabulary_size: int) -> _Walk:
        """Before the first order: the uniform distribution, and the empty context."""
        uniform = np.full(len(symbols), 1 / vocabulary_size)
        return cls(symbols, vocabulary_size, uniform, np.empty(0, np.int64), np.empty(0, np.int64))

    def longer(self, keys: Array) -> _Walk:
        """With contexts of one symbol more; `keys` are those of the n-grams that extend them."""
        shifted = np.concatenate([[-1], self.ranks[:-1]])[: len(self.symbols)]
        contexts = shifted if len(self.ranks) else np.zeros(len(self.symbols), np.int64)
        ranks = _find(keys, np.where(contexts < 0, -1, contexts * self.vocabulary_size + self.symbols))
        return replace(self, contexts=contexts, ranks=ranks)

    def mixed(self, order: _Order) -> Array:
        """The probabilities by one order more."""
        total = np.where(self.contexts < 0, 0, order.context_totals[self.contexts])
        count = np.where(self.ranks < 0, 0, order.counts[self.ranks])
        kept = np.maximum(count - order.discount, 0.0)
        passed_on = order.discount * order.context_types[self.contexts]
        mixed = (kept + passed_on * self.probability) / np.maximum(total, 1)
        return np.where(total > 0, mixed, self.probability)


def _statistics(grams: Grams, counts: Array, vocabulary_size: int) -> _Order:
    """What smoothing needs of the n-grams of one order."""
    prefixes = grams.keys // vocabulary_size
    return _Order(
        keys=grams.keys,
        counts=counts,
        context_totals=np.bincount(prefixes, weights=counts, minlength=grams.contexts),
        context_types=np.bincount(prefixes, weights=counts > 0, minlength=grams.contexts),
        discount=discount(counts),
    )


def discount(counts: Array) -> float:
    """What Kneser-Ney smoothing takes off each count, estimated from how many are 1 and 2."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return once / (once + 2 * twice) if once and twice else 0.5


def _find(keys: Array, wanted: Array) -> Array:
    """Places of the wanted keys among the sorted ones, -1 where absent."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
