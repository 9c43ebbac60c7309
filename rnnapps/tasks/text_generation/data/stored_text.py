"""A text on disk, character by character in as few bytes as its alphabet allows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from rnnapps.data.digest import Blocks
from rnnapps.data.stored.arrays import StoredArray
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.data.stored.ranges import Ranges
from rnnapps.data.text.stored_ids import IDS, StoredIds
from rnnapps.types import Array

__all__ = ["CODES", "DOCUMENTS", "POINTS", "StoredPiece", "StoredText", "text_of"]

CODES, POINTS, DOCUMENTS = "codes.npy", "points.npy", "documents.npy"
"""Codes of all characters, the code point of each code, and where each document ends. Code 0 is the line feed."""

FOUND = "found.txt"

COUNTED = 1 << 22
"""Characters that are counted at once."""

FEWEST_TOGETHER, MOST_TOGETHER = 64, 1 << 16
"""Documents of which the ends are read at once: the more, the longer a range is."""

WIDER = (0x80, 0x800, 0x10000)
"""Code points from which on UTF-8 takes one byte more."""

BACK = 64
"""Characters among which line feeds at an end are looked for."""


@dataclass(frozen=True)
class StoredText:
    """Documents on disk, or parts of them, one behind another.

    Attributes:
        folder: where they are kept.
        ranges: of their codes.
        kept: where what is made of them is kept.
    """

    folder: Path
    ranges: Ranges
    kept: StoredFolders

    @classmethod
    def open(cls, folder: Path, kept: StoredFolders) -> StoredText:
        """All documents of an entry."""
        end = len(StoredArray(folder / CODES))
        return cls(folder, Ranges.of([(0, end, 0)]), kept)

    def part(self, pieces: Iterable[StoredPiece]) -> StoredText:
        """The text of some pieces of it."""
        return StoredText(self.folder, Ranges.of(piece.range for piece in pieces), self.kept)

    @cached_property
    def codes(self) -> StoredArray:
        """The code of each character of all documents."""
        return StoredArray(self.folder / CODES)

    @cached_property
    def points(self) -> Array:
        """The code point of each code, uint32 `(codes,)`."""
        return StoredArray(self.folder / POINTS)[:]

    @cached_property
    def document_ends(self) -> StoredArray:
        """Where each document ends among the codes, int64 `(documents,)`."""
        return StoredArray(self.folder / DOCUMENTS)

    def __len__(self) -> int:
        """Number of characters."""
        return len(self.ranges)

    def __iter__(self) -> Iterator[StoredPiece]:
        """Yields each document, or what the text has of it."""
        number = 0
        for start, end, feeds in self.ranges:  # in their order on disk
            number = _place(self.document_ends, start, number)
            if start == end:
                yield StoredPiece(self, start, end, feeds)
            for low, high, closed in self._documents(start, end, number):
                yield StoredPiece(self, low, high, feeds if high == end else 0, closed=closed)

    def _documents(self, start: int, end: int, number: int) -> Iterator[tuple[int, int, bool]]:
        """A range cut where documents end, from the number of the first on; and whether each ends in a blank line."""
        ends, together = self.document_ends, FEWEST_TOGETHER
        while start < end and number < len(ends):
            for stop in ends[number : number + together].tolist():
                high = min(stop, end)
                number += 1
                yield start, high, high == stop and number < len(ends)
                start = high
                if start >= end:
                    return
            together = min(2 * together, MOST_TOGETHER)

    def key(self, *made: object) -> str:
        """Tells of what is made of this text, of its documents and its ranges."""
        digest = hashlib.sha256(repr((self.folder.name, *made)).encode())
        for array in (self.ranges.starts, self.ranges.ends, self.ranges.feeds):
            digest.update(array.tobytes())
        return digest.hexdigest()

    def read(self, low: int, high: int) -> Array:
        """The codes of characters from one position to before another, or to the end."""
        low, high = min(low, len(self)), min(high, len(self))
        parts = [np.zeros(0, self.codes.dtype)]
        for start, end, feeds in self.ranges.between(low, high):
            parts += [self.codes[start:end], np.zeros(feeds, self.codes.dtype)]
        return np.concatenate(parts)

    def text(self, low: int, high: int) -> str:
        """Characters from one position to before another."""
        return text_of(self.points[self.read(low, high)])

    def texts(self) -> Iterator[str]:
        """Yields all of it in pieces of a bounded size."""
        for low in range(0, len(self), COUNTED):
            yield self.text(low, min(low + COUNTED, len(self)))

    def passages(self, count: int, characters: int) -> Iterator[str]:
        """Yields so many passages of so many characters, evenly spread; or all of it, where it has no more."""
        if len(self) <= count * characters:
            yield self.text(0, len(self))
            return
        for start in np.linspace(0, len(self) - characters, count).astype(np.int64).tolist():
            yield self.text(start, start + characters)

    def symbols(self) -> dict[str, int]:
        """How often each character occurs."""
        counts = np.zeros(len(self.points), np.int64)
        for low in range(0, len(self), COUNTED):
            counts += np.bincount(self.read(low, min(low + COUNTED, len(self))), minlength=len(counts))
        return {chr(self.points[code]): int(counts[code]) for code in np.flatnonzero(counts)}

    def encoded(self, table: Array) -> StoredIds:
        """Ids of its characters.

        Args:
            table: the id of each code point `(code points,)`.
        """
        return StoredIds(self.codes, self.ranges, table[self.points])

    def remember(self, key: str, find: Callable[[], str]) -> str:
        """A short text that is found once, such as a fingerprint; `key` is of `key`."""

        def write(folder: Path) -> None:
            (folder / FOUND).write_text(find(), encoding="utf-8")

        return (self.kept.open(key, write) / FOUND).read_text(encoding="utf-8")

    def kept_ids(self, key: str, write: Callable[[Path], None]) -> StoredIds:
        """Ids that were made of this text, once.

        Args:
            key: of `key`.
            write: writes them as the file `IDS` of a folder.
        """
        ids = StoredArray(self.kept.open(key, write) / IDS)
        return StoredIds(ids, Ranges.of([(0, len(ids), 0)]), None)


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """A part of one document of a text on disk, of which nothing is read until it is asked for; much like a `str`.

    Attributes:
        whole: the text.
        start: its first code.
        end: behind its last code.
        feeds: line feeds that follow.
        closed: whether it is known to end in a blank line.
    """

    whole: StoredText
    start: int
    end: int
    feeds: int = 0
    closed: bool = False

    @property
    def range(self) -> tuple[int, int, int]:
        """Its codes, and the line feeds behind them."""
        return self.start, self.end, self.feeds

    def __len__(self) -> int:
        return self.end - self.start + self.feeds

    def __getitem__(self, places: slice) -> StoredPiece:
        low, high, _ = places.indices(len(self))
        high, size = max(low, high), self.end - self.start
        first, last = self.start + min(low, size), self.start + min(high, size)
        return StoredPiece(self.whole, first, last, high - low - (last - first), self.closed and high == len(self))

    def __str__(self) -> str:
        return text_of(self.whole.points[self.whole.codes[self.start : self.end]]) + "\n" * self.feeds

    def blocks(self) -> Blocks:
        """Its UTF-8."""
        sizes = np.digitize(self.whole.points, WIDER) + 1
        size = sum(int(sizes[self.whole.codes[low:high]].sum()) for low, high in self._places())
        texts = (text_of(self.whole.points[self.whole.codes[low:high]]).encode() for low, high in self._places())
        return Blocks(size + self.feeds, chain(texts, [b"\n" * self.feeds]))

    def _places(self) -> Iterator[tuple[int, int]]:
        """Its codes, so many at once as are counted."""
        for low in range(self.start, self.end, COUNTED):
            yield low, min(low + COUNTED, self.end)

    def __add__(self, feeds: str) -> StoredPiece:
        """With line feeds behind it."""
        if feeds.strip("\n"):
            raise ValueError("only line feeds can be added")
        return StoredPiece(self.whole, self.start, self.end, self.feeds + len(feeds), self.closed)

    def rstrip(self, feed: str) -> StoredPiece:
        """Without the line feeds at its end."""
        if feed != "\n":
            raise ValueError("only line feeds can be left out")
        end, found = self.end, 0
        while found == 0 and end > self.start:
            low = max(self.start, end - BACK)
            others = np.flatnonzero(self.whole.codes[low:end])
            end, found = (low + int(others[-1]) + 1, 1) if len(others) else (low, 0)
        return StoredPiece(self.whole, self.start, end)

    def endswith(self, feeds: str) -> bool:
        """Whether it ends in so many line feeds."""
        blank = self.closed and len(feeds) <= min(2, len(self))
        return blank or str(self[max(len(self) - len(feeds), 0) :]) == feeds


def text_of(points: Array) -> str:
    """Code points, uint32 `(characters,)`, as a text."""
    return np.ascontiguousarray(points, "<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _place(ends: StoredArray, start: int, low: int) -> int:
    """The first number of ascending ones, from a place on, that is larger than one; most often it is near."""
    step = 1
    while low + step <= len(ends) and ends[low + step - 1 : low + step][0] <= start:
        low, step = low + step, 2 * step
    high = min(low + step, len(ends))
    while low < high:
        middle = (low + high) // 2
        if ends[middle : middle + 1][0] <= start:
            low = middle + 1
        else:
            high = middle
    return low
