"""Ids of tokens on disk, read window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np

from rnnapps.data.stored.arrays import StoredArray
from rnnapps.data.stored.ranges import Ranges
from rnnapps.types import Array

__all__ = ["IDS", "StoredIds", "without"]

IDS = "ids.npy"
"""The file of ids in its folder."""


@dataclass(frozen=True)
class StoredIds:
    """Ids `(tokens,)`, of which a slice is an array.

    Attributes:
        codes: what is on disk.
        ranges: which of it, in which order.
        table: the id of each code; None where codes are ids.
    """

    codes: StoredArray
    ranges: Ranges
    table: Array | None

    def __len__(self) -> int:
        return len(self.ranges)

    def __getitem__(self, places: slice) -> Array:
        low, high, _ = places.indices(len(self))
        dtype = self.codes.dtype if self.table is None else self.table.dtype
        parts = [np.zeros(0, dtype)]
        for start, end, feeds in self.ranges.between(low, high):
            codes = np.concatenate([self.codes[start:end], np.zeros(feeds, self.codes.dtype)])
            parts.append(codes if self.table is None else self.table[codes])
        return np.concatenate(parts)

    def windows(self, starts: Array, length: int) -> Array:
        """Windows `(batch, length)` from some positions on, int32."""
        return np.stack([self[start : start + length] for start in starts.tolist()]).astype(np.int32)

    def without(self, blocks: Sequence[tuple[int, int]]) -> StoredIds:
        """The same without some blocks, from one position to before another, in ascending order."""
        return StoredIds(self.codes, self.ranges.without(blocks), self.table)


@overload
def without(ids: Array, blocks: Sequence[tuple[int, int]]) -> Array: ...
@overload
def without(ids: Array | StoredIds, blocks: Sequence[tuple[int, int]]) -> Array | StoredIds: ...
def without(ids: Array | StoredIds, blocks: Sequence[tuple[int, int]]) -> Array | StoredIds:
    """Ids `(tokens,)` without some blocks, from one position to before another, in ascending order."""
    if isinstance(ids, StoredIds):
        return ids.without(blocks)
    borders = [0, *(border for block in blocks for border in block), len(ids)]
    return np.concatenate([ids[low:high] for low, high in list(pairwise(borders))[::2]])
