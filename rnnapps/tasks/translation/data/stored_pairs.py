"""Sentence pairs on disk, of which only those that are asked for are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np

from rnnapps.data.stored.arrays import ArrayWriter, StoredArray
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.tasks.translation.data.pairs import Pair, Placed
from rnnapps.types import Array

__all__ = ["DOCUMENTS", "FINGERPRINTS", "LENGTHS", "StoredPairs", "write_pairs"]

TEXTS, ENDS, LENGTHS, FINGERPRINTS, DOCUMENTS = (
    f"{name}.npy" for name in ("texts", "ends", "lengths", "fingerprints", "documents")
)
"""UTF-8 of all sides; where each side ends; its characters and fingerprint `(pairs, 2)`; the document of each pair."""

TOGETHER = 4096
"""Pairs that are read or written at once."""


@dataclass(frozen=True)
class StoredPairs(Sequence[Pair]):
    """Pairs on disk.

    Attributes:
        folder: where they are kept.
        rows: which of them, int64 `(pairs,)`, ascending.
        kept: where what is made of them is kept.
        reverse: whether sentence and translation change places.
    """

    folder: Path
    rows: Array
    kept: StoredFolders
    reverse: bool = False

    @cached_property
    def _texts(self) -> StoredArray:
        return StoredArray(self.folder / TEXTS)

    @cached_property
    def _ends(self) -> StoredArray:
        return StoredArray(self.folder / ENDS)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> list[Pair]: ...
    def __getitem__(self, place: int | slice) -> Pair | list[Pair]:
        if isinstance(place, slice):
            return list(self._read(self.rows[place]))
        return next(self._read(self.rows[place : place + 1] if place != -1 else self.rows[-1:]))

    def __iter__(self) -> Iterator[Pair]:
        for start in range(0, len(self.rows), TOGETHER):
            yield from self._read(self.rows[start : start + TOGETHER])

    def _read(self, rows: Array) -> Iterator[Pair]:
        """The pairs of some rows on disk, which are read with all that lies between them."""
        if not len(rows):
            return
        first, last = int(rows[0]), int(rows[-1])
        before = self._ends[2 * first - 1 : 2 * first] if first else np.zeros(1, np.int64)
        ends = np.concatenate([before, self._ends[2 * first : 2 * last + 2]])
        content = self._texts[int(ends[0]) : int(ends[-1])].tobytes()
        places = (ends - ends[0]).tolist()
        for row in (2 * (rows - first)).tolist():
            start, middle, end = places[row : row + 3]
            source, target = content[start:middle].decode(), content[middle:end].decode()
            yield Pair(target, source) if self.reverse else Pair(source, target)

    def evenly(self, most: int) -> list[Pair]:
        """So many of them, evenly spread; all where there are no more."""
        if len(self) <= most:
            return list(self)
        return [self[int(place)] for place in np.linspace(0, len(self) - 1, most).astype(np.int64)]

    def key(self, *made: object) -> str:
        """Tells of what is made of these pairs."""
        digest = hashlib.sha256(repr((self.folder.name, self.reverse, *made)).encode())
        digest.update(self.rows.tobytes())
        return digest.hexdigest()

    def made(self, key: str, write: Callable[[Path], None]) -> Path:
        """The folder of what is made of them, once; `key` is of `key`."""
        return self.kept.open(key, write)


def write_pairs(folder: Path, pairs: Iterable[Placed]) -> None:
    """Writes pairs, with what they are dealt out and filtered by.

    Args:
        folder: an empty folder.
        pairs: any number of them.

    Raises:
        OSError: the disk is full.
    """
    with (
        ArrayWriter(folder / TEXTS, np.uint8) as texts,
        ArrayWriter(folder / ENDS, np.int64) as ends,
        ArrayWriter(folder / LENGTHS, np.int32, (2,)) as lengths,
        ArrayWriter(folder / FINGERPRINTS, np.uint64, (2,)) as fingerprints,
        ArrayWriter(folder / DOCUMENTS, np.int64) as documents,
    ):
        for together in _together(pairs):
            sides = [side.encode() for placed in together for side in placed.pair]
            ends.append(texts.rows + np.cumsum([len(side) for side in sides]))
            texts.append(np.frombuffer(b"".join(sides), np.uint8))
            lengths.append(np.array([[len(side) for side in placed.pair] for placed in together], np.int32))
            found = b"".join(hashlib.blake2b(side, digest_size=8).digest() for side in sides)
            fingerprints.append(np.frombuffer(found, "<u8").reshape(-1, 2))
            documents.append(np.array([placed.document for placed in together], np.int64))


def _together(pairs: Iterable[Placed]) -> Iterator[list[Placed]]:
    """Pairs in lists."""
    together: list[Placed] = []
    for placed in pairs:
        together.append(placed)
        if len(together) == TOGETHER:
            yield together
            together = []
    if together:
        yield together
