"""Documents written to disk in one pass, as codes of their characters."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rnnapps.data.stored.arrays import ArrayWriter, StoredArray
from rnnapps.tasks.text_generation.data.stored_text import CODES, DOCUMENTS, POINTS
from rnnapps.types import Array

__all__ = ["write_documents"]

WIDTHS = (np.uint8, np.uint16, np.uint32)
COPIED = 1 << 22
"""Codes that are widened at once."""


def write_documents(folder: Path, documents: Iterable[Iterable[str]]) -> None:
    """Writes what `StoredText` reads: every document that is not empty, all but the last with a blank line behind it.

    Args:
        folder: an empty folder.
        documents: each in pieces of a bounded size.

    Raises:
        OSError: the disk is full.
    """
    with _CodeWriter(folder / CODES) as codes, ArrayWriter(folder / DOCUMENTS, np.int64) as ends:
        begun, tail = False, ""
        for document in documents:
            empty = True
            for piece in document:
                if not piece:
                    continue
                if empty and begun:
                    codes.append("\n\n"[: 2 - (tail.endswith("\n") + tail.endswith("\n\n"))])
                    ends.append(np.array([codes.written]))
                    tail = ""
                begun, empty = True, False
                codes.append(piece)
                tail = (tail + piece)[-2:]
        if begun:
            ends.append(np.array([codes.written]))
    with ArrayWriter(folder / POINTS, np.uint32) as points:
        points.append(codes.points)


class _CodeWriter:
    """Writes codes of characters, numbered as they come, in the fewest bytes that hold them all.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.written = path, 0
        self.points = np.array([ord("\n")], np.uint32)
        self._codes = np.full(0x110000, -1, np.int32)
        self._codes[ord("\n")] = 0
        self._width = 0
        self._file = ArrayWriter(path, WIDTHS[0])

    def __enter__(self) -> _CodeWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, text: str) -> None:
        """Adds characters."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        codes = self._codes[points]
        if len(codes) and codes.min() < 0:
            self._add(points[codes < 0])
            codes = self._codes[points]
        self._file.append(codes.astype(WIDTHS[self._width]))
        self.written += len(codes)

    def _add(self, points: Array) -> None:
        """Numbers new characters in the order in which they come."""
        distinct, first = np.unique(points, return_index=True)
        new = distinct[np.argsort(first)]
        self._codes[new] = np.arange(len(self.points), len(self.points) + len(new))
        self.points = np.concatenate([self.points, new])
        while len(self.points) > np.iinfo(WIDTHS[self._width]).max + 1:
            self._widen()

    def _widen(self) -> None:
        """Writes what there is again, in more bytes a code."""
        self._file.close()
        narrow, wider = self.path.with_suffix(".narrow"), self._width + 1
        os.replace(self.path, narrow)
        before, self._file, self._width = StoredArray(narrow), ArrayWriter(self.path, WIDTHS[wider]), wider
        for start in range(0, len(before), COPIED):
            self._file.append(before[start : start + COPIED].astype(WIDTHS[wider]))
        narrow.unlink()
