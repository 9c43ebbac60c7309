"""Counts of all n-grams of a text up to a length, from one sort of its places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = ["Grams", "count_grams"]


@dataclass(frozen=True)
class Grams:
    """The distinct n-grams of one length in their lexicographic order.

    Attributes:
        keys: the rank of an n-gram's first n-1 symbols among the distinct (n-1)-grams, times the size of the
            vocabulary, plus its last symbol, int64 `(grams,)`: ascending, and never too long for 64 bits.
        counts: how often each occurs `(grams,)`.
        neighbours: how many different symbols stand before it `(grams,)`; None of the longest n-grams.
        contexts: number of distinct (n-1)-grams.
    """

    keys: Array
    counts: Array
    neighbours: Array | None
    contexts: int


def count_grams(symbols: Array, longest: int, vocabulary_size: int) -> Iterator[Grams]:
    """Yields the n-grams of each length from 1 to the longest.

    All places of the text are sorted once, by what follows; n-grams of any length are then runs of neighbours. Only
    one length is held at a time.

    Args:
        symbols: ids from 0 to below `vocabulary_size`, int64 `(symbols,)`, at least `longest` of them.
        longest: length of the longest n-grams.
        vocabulary_size: number of ids.
    """
    places = _sorted_places(symbols, longest, vocabulary_size)
    padded = np.concatenate([symbols, np.full(longest, -1)])
    starts_run = np.zeros(len(places), bool)
    starts_run[0] = True
    ranks, contexts, before = np.zeros(len(places), np.int32), 1, None
    for length in range(1, longest + 1):
        last = padded[places + length - 1]
        starts_run[1:] |= last[1:] != last[:-1]
        first = np.flatnonzero(starts_run)
        counts = np.diff(first, append=len(places))
        whole = places[first] + length <= len(symbols)  # the last places of the text are followed by too few symbols
        by_place = np.empty(len(places), np.int32)
        by_place[places] = np.repeat(np.cumsum(whole) - 1, counts)
        first, counts = first[whole], counts[whole]
        keys = ranks[places[first]].astype(np.int64) * vocabulary_size + last[first]
        if before is not None:
            # An n-gram follows as many different symbols as there are longer ones that end with it.
            neighbours = np.bincount(ranks[places[first] + 1], minlength=contexts)
            yield Grams(before[0], before[1], neighbours, before[2])
        before = keys, counts, contexts
        ranks, contexts = by_place, len(keys)
    assert before is not None
    yield Grams(before[0], before[1], None, before[2])


def _sorted_places(symbols: Array, longest: int, vocabulary_size: int) -> Array:
    """All places of a text, ordered by the symbols that follow; where the text ends counts as less than any symbol."""
    bits = int(vocabulary_size).bit_length()
    in_a_word = min(63 // bits, longest)
    padded = np.concatenate([symbols + 1, np.zeros(longest + in_a_word, np.int64)])
    words = []
    for start in range(0, longest, in_a_word):
        word = np.zeros(len(symbols), np.int64)
        for offset in range(start, start + in_a_word):
            word = (word << bits) | padded[offset : offset + len(symbols)]
        words.append(word)
    return np.lexsort(words[::-1])
