"""Files of sentence pairs that are larger than memory: read once, kept on disk, dealt out and filtered there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.digest import digest_files
from rnnapps.data.stored.arrays import StoredArray
from rnnapps.data.stored.counted import open_counted
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.errors import DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.data.files import aligned_pairs, streamed_pairs
from rnnapps.tasks.translation.data.pairs import SHORT, drop_reasons
from rnnapps.tasks.translation.data.stored_pairs import DOCUMENTS, FINGERPRINTS, LENGTHS, StoredPairs, write_pairs
from rnnapps.types import Array

__all__ = ["LargePairs", "large_pairs"]

FORMAT = "1"
"""Changes when the same files would give other pairs."""

MIXED = np.uint64(0x9E3779B97F4A7C15)


class LargePairs:
    """All pairs of a source, on disk.

    Args:
        folder: where they are kept.
        kept: where what is made of them is kept.
        config: how they are turned and filtered.
    """

    def __init__(self, folder: Path, kept: StoredFolders, config: PairDataConfig) -> None:
        self.folder, self.kept, self.config = folder, kept, config
        self.documents = StoredArray(folder / DOCUMENTS)[:]
        self.fingerprints = StoredArray(folder / FINGERPRINTS)[:]

    def groups(self, *, of_documents: bool) -> Array:
        """The group of each pair: its document, or its source sentence; numbered in the order of first occurrence."""
        keys = self.documents if of_documents else self.fingerprints[:, 0]
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        numbers = np.empty(len(first), np.int64)
        numbers[np.argsort(first)] = np.arange(len(first))
        return numbers[inverse]

    def without_sentences_of(self, rows: Array, others: Array) -> Array:
        """Those rows whose source sentence is none of those of other rows."""
        return rows[~np.isin(self.fingerprints[rows, 0], self.fingerprints[others, 0])]

    def pairs(self, rows: Array) -> StoredPairs:
        """The pairs of some rows, in the direction of translation."""
        return StoredPairs(self.folder, rows, self.kept, self.config.reverse)

    def filtered(self, rows: Array) -> tuple[StoredPairs, dict[str, int]]:
        """As `filter_pairs`: the pairs that stay, and the number dropped for each reason."""
        sides = StoredArray(self.folder / LENGTHS)[:][rows]
        short, long = sides.min(axis=1), sides.max(axis=1)
        too_long = long > self.config.longest
        lopsided = ~too_long & (long > SHORT) & (long > self.config.largest_ratio * short)
        good = np.flatnonzero(~too_long & ~lopsided)
        own = self.fingerprints[rows[good]]
        with np.errstate(over="ignore"):
            both = own[:, 0] * MIXED + own[:, 1]
        _, first = np.unique(both, return_index=True)
        first.sort()
        counts = (len(good) - len(first), int(too_long.sum()), int(lopsided.sum()))
        reasons = drop_reasons(self.config.longest, self.config.largest_ratio)
        dropped = {reason: count for reason, count in zip(reasons, counts, strict=True) if count}
        return self.pairs(rows[good[first]]), dropped


def large_pairs(config: PairDataConfig, good: GoodExamples) -> LargePairs | None:
    """The training pairs of files that are larger than memory may be; None for other sources.

    Args:
        config: where they are.
        good: counts the lines that are no pair.

    Raises:
        DataError: as for files in memory.
    """
    names = [name for name in (config.source, config.target) if name is not None]
    paths = [unpacked_source(name) for name in names]
    if not all(path.is_file() for path in paths):
        return None
    if config.keeps_in_memory(config.source, sum(path.stat().st_size for path in paths)):
        return None
    settings = (FORMAT, config.columns, config.most_lines, good.skips, [path.suffix for path in paths])
    digest = hashlib.sha256(repr(settings).encode())
    digest_files(digest, paths)
    kept = StoredFolders("pairs", config.cache_megabytes)
    if config.target is not None:
        read = aligned_pairs(config.source, config.target, good, most=config.most_lines)
    else:
        read = streamed_pairs(config.source, good, columns=config.columns, most=config.most_lines)
    folder = open_counted(kept, digest.hexdigest(), lambda made: write_pairs(made, read), good)
    found = LargePairs(folder, kept, config)
    if not len(found.documents):
        good.finish()
        raise DataError(config.source, "holds no sentence pair", "give another file")
    return found
