"""Ranges of a stored array behind one another, as if they were one array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from rnnapps.types import Array

__all__ = ["Ranges"]


@dataclass(frozen=True)
class Ranges:
    """Ranges of positions, each perhaps with some line feeds behind it.

    Attributes:
        starts: int64 `(ranges,)`.
        ends: int64 `(ranges,)`, behind the last position of each.
        feeds: uint8 `(ranges,)`, line feeds that follow.
    """

    starts: Array
    ends: Array
    feeds: Array

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int, int]]) -> Ranges:
        """Those of (start, end, line feeds); what adjoins becomes one, and what is empty is left out."""
        found = np.fromiter(_joined(ranges), np.dtype((np.int64, 3)))
        return cls(found[:, 0].copy(), found[:, 1].copy(), found[:, 2].astype(np.uint8))

    @cached_property
    def offsets(self) -> Array:
        """Where each begins in the whole, and the length of that, int64 `(ranges + 1,)`."""
        return np.concatenate([[0], np.cumsum(self.ends - self.starts + self.feeds)])

    def __len__(self) -> int:
        """The length of the whole."""
        return int(self.offsets[-1])

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yields each start, end, and number of line feeds."""
        for start, end, feeds in zip(self.starts, self.ends, self.feeds, strict=True):
            yield int(start), int(end), int(feeds)

    def between(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """Yields what makes up a part of the whole, in the same form."""
        number = int(np.searchsorted(self.offsets, low, side="right")) - 1
        while low < high:
            start, end = int(self.starts[number]), int(self.ends[number])
            begin, behind = int(self.offsets[number]), min(high, int(self.offsets[number + 1]))
            first, last = min(start + low - begin, end), min(start + behind - begin, end)
            yield first, last, behind - low - (last - first)
            low, number = behind, number + 1

    def without(self, blocks: Sequence[tuple[int, int]]) -> Ranges:
        """The whole without some parts of it, from one position to before another, in ascending order."""
        borders = [0, *(border for block in blocks for border in block), len(self)]
        kept = list(pairwise(borders))[::2]
        return Ranges.of(part for low, high in kept for part in self.between(low, high))


def _joined(ranges: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Puts neighbours together."""
    before: tuple[int, int, int] | None = None
    for start, end, feeds in ranges:
        if before is not None and before[1] == start and (not before[2] or start == end):
            before = (before[0], end, before[2] + feeds)
        elif start < end or feeds:
            if before is not None:
                yield before
            before = (start, end, feeds)
    if before is not None:
        yield before
