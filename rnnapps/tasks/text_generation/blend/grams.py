"""The n-grams of a text, pruned and kept as one sorted table."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnapps.atomic import write_atomically
from rnnapps.errors import CheckpointError, ExportError
from rnnapps.export.arrays import load_arrays
from rnnapps.metrics.gram_counts import count_grams
from rnnapps.metrics.ngram import discount
from rnnapps.types import Array

__all__ = ["BYTES_PER_GRAM", "ROOT", "GramTable"]

ROOT = 0
"""The entry of the empty n-gram, and of one that the table does not have."""

BYTES_PER_GRAM = 8
"""A key and a count of 4 bytes each."""

BYTES_PER_WIDE_GRAM = 12
"""The same with a key of 8 bytes, where there are too many symbols and n-grams for those of 4."""

LARGEST_KEY = 2**31 - 1
SHORTEST_PRUNED = 3
MOST_OCCURRENCES = 1000
"""The children of a context that occurs so often are never left out."""

FILE_NAME = "ngrams.npz"


@dataclass(frozen=True)
class GramTable:
    """N-grams as the nodes of a tree, sorted by length, then by the n-gram without its last symbol, then by that.

    An entry is an n-gram, the one before all others the empty one. The children of an entry are the n-grams of one
    symbol more that begin with it: those of which it is the context. A key is the entry of the context times the size
    of the vocabulary, plus the last symbol; keys ascend, so that a child, or where the children of an entry begin and
    end, is found by bisection, and the whole table is two arrays.

    Counts are those of Kneser-Ney smoothing: of the longest n-grams how often they occur, of shorter ones how many
    different symbols stand before them, at least one. Where the table would grow too large, all children of rare
    contexts are left out, those of the longest and rarest first: of a context that has any, all are there.

    Attributes:
        keys: int32 `(entries,)`, or int64 where the largest would not fit; that of the empty n-gram is -1.
        counts: int32 `(entries,)`; that of the empty n-gram is the number of symbols of the text.
        discounts: what smoothing takes off each count, by the length of the n-gram, float32 `(order + 1,)`.
        vocabulary_size: number of ids.
    """

    keys: Array
    counts: Array
    discounts: Array
    vocabulary_size: int

    @classmethod
    def count(cls, ids: Array, *, vocabulary_size: int, order: int, most_bytes: int) -> GramTable:
        """Counts the n-grams of a text.

        Args:
            ids: the text `(symbols,)`, at least `order` of them.
            vocabulary_size: number of ids.
            order: the length of the longest n-grams.
            most_bytes: what the table may take; no n-grams of 1 and 2 symbols are left out.
        """
        text = np.asarray(ids, np.int64)
        narrow = min(most_bytes // BYTES_PER_GRAM, LARGEST_KEY // vocabulary_size)
        most = max(narrow, most_bytes // BYTES_PER_WIDE_GRAM) - 1
        fewest = _fewest_occurrences(text, vocabulary_size=vocabulary_size, order=order, most=most)
        keys, counts, discounts = [np.array([-1])], [np.array([len(text)])], [0.0]
        entries, occurrences, known = np.array([ROOT]), np.array([len(text)]), 1  # of the n-grams one shorter
        for fewer, grams in zip(fewest, count_grams(text, order, vocabulary_size), strict=True):
            contexts, last = np.divmod(grams.keys, vocabulary_size)
            smoothed = grams.counts if grams.neighbours is None else np.maximum(grams.neighbours, 1)
            kept = (entries[contexts] >= 0) & (occurrences[contexts] >= fewer)
            keys.append(entries[contexts[kept]] * vocabulary_size + last[kept])
            counts.append(smoothed[kept])
            discounts.append(discount(smoothed))
            entries, occurrences = np.where(kept, known + np.cumsum(kept) - 1, -1), grams.counts
            known += int(kept.sum())
        kind = np.int32 if known * vocabulary_size <= LARGEST_KEY else np.int64
        table = (np.concatenate(keys).astype(kind), np.concatenate(counts).astype(np.int32))
        return cls(*table, np.array(discounts, np.float32), vocabulary_size)

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.discounts) - 1

    @property
    def entries(self) -> int:
        """Number of n-grams, the empty one included."""
        return len(self.keys)

    @property
    def bytes(self) -> int:
        """What the table takes in memory and in an export."""
        return int(self.keys.nbytes + self.counts.nbytes)

    def children(self, contexts: Array) -> tuple[Array, Array]:
        """The first child of each entry, and the one behind its last `(contexts,)`; the root has none here.

        The root also stands for what the table does not have.
        """
        begin, end = (self._find_key((contexts + more) * self.vocabulary_size) for more in (0, 1))
        return begin, np.where(contexts == ROOT, begin, end)

    def walk(self, ids: Array) -> Array:
        """The n-grams of each length that end at each place of a text.

        Args:
            ids: the text `(symbols,)`.

        Returns:
            int64 `(symbols, order)`: entries by length from 1, the root where the table has none.
        """
        symbols = np.asarray(ids, np.int64)
        found, before = [], np.full(len(symbols), ROOT)
        for _ in range(self.order):
            wanted = before * self.vocabulary_size + symbols
            places = np.minimum(self._find_key(wanted), self.entries - 1)
            entries = np.where((before >= 0) & (self.keys[places] == wanted), places, ROOT)
            found.append(entries)
            # What is not in the table is no context; the root is only that of the n-grams of one symbol.
            before = np.concatenate([[-1], np.where(entries == ROOT, -1, entries)[:-1]])
        return np.stack(found, axis=1)

    def save(self, folder: Path) -> None:
        """Writes `ngrams.npz`; differences of ascending keys take a quarter of their room.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        file = io.BytesIO()
        size, steps = np.array(self.vocabulary_size), np.diff(self.keys)
        np.savez_compressed(file, steps=steps, counts=self.counts, discounts=self.discounts, vocabulary_size=size)
        try:
            write_atomically(folder / FILE_NAME, file.getvalue())
        except OSError as error:
            raise CheckpointError(f"{folder / FILE_NAME}: cannot be written: {error.strerror}") from error

    @classmethod
    def load(cls, folder: Path) -> GramTable | None:
        """Reads what `save` wrote; None where nothing was.

        Raises:
            CheckpointError: the file is broken.
        """
        path = folder / FILE_NAME
        if not path.exists():
            return None
        try:
            stored = load_arrays(path)
            keys = np.cumsum(np.concatenate([[-1], stored["steps"]]), dtype=stored["steps"].dtype)
            return cls(keys, stored["counts"], stored["discounts"], int(stored["vocabulary_size"]))
        except (ExportError, KeyError, TypeError, ValueError):
            raise CheckpointError(f"{path}: is no table of n-grams; restore the file or train again") from None

    def _find_key(self, keys: Array) -> Array:
        """How many keys are below each of these."""
        return np.searchsorted(self.keys, keys.astype(self.keys.dtype))


def _fewest_occurrences(text: Array, *, vocabulary_size: int, order: int, most: int) -> Array:
    """How often a context must occur for its children to be kept, by their length from 1, int64 `(order,)`.

    The number rises by one from the longest n-grams on, length by length, until so many are left as there may be.
    """
    fewest = np.ones(order, np.int64)
    occurrences, rare = np.array([len(text)]), []
    for grams in count_grams(text, order, vocabulary_size):
        behind = np.minimum(occurrences[grams.keys // vocabulary_size], MOST_OCCURRENCES)
        rare.append(np.bincount(behind, minlength=MOST_OCCURRENCES + 1))  # children by how often their context occurs
        occurrences = grams.counts
    spare = sum(int(children.sum()) for children in rare) - most
    for fewer in range(2, MOST_OCCURRENCES + 1):
        for length in range(order, SHORTEST_PRUNED - 1, -1):
            if spare <= 0:
                return fewest
            fewest[length - 1] = fewer
            spare -= int(rare[length - 1][fewer - 1])
    return fewest
