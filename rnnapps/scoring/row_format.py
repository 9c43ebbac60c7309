"""What a row is before it is an input of a model, and what a format of files must say to be read in rows."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from rnnapps.data.compressed import compression_of, open_compressed

__all__ = ["CONTENT", "LARGEST_FILE", "Flat", "Record", "RowFormat", "Told", "opened"]

CONTENT = "content"
"""The only column of what has no columns: a line of text, or the bytes of a file."""

LARGEST_FILE = 256 << 20
"""Bytes of a file that is one row."""

Told = Callable[[float], None]
"""Is told how many more bytes have been read."""


class Flat(list[Any]):
    """Values of a column in a format that knows no shapes: they are those of the input, and one alone is no list."""


@dataclass(frozen=True)
class Record:
    """One row.

    Attributes:
        place: what a person calls it: "a.jsonl, line 3".
        folder: what paths in it are relative to.
        values: column -> value.
        problem: why it could not be read; empty where it could.
    """

    place: str
    folder: Path
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class RowFormat:
    """How a file is read in two steps, so that rows can be counted or passed over without the second.

    Attributes:
        raw: yields what each row is made of, as cheaply as it can be found; the same each time.
        record: makes the row of it, while `raw` stands there.
    """

    raw: Callable[[Path, Told], Iterator[Any]]
    record: Callable[[Path, Any], Record]


@contextmanager
def opened(path: Path, read: Told) -> Iterator[IO[bytes]]:
    """A file, unpacked where it is compressed, that tells how much of it is read."""
    with open(path, "rb") as file:
        compression = compression_of(path, file.peek(8)[:8])
        counted = io.BufferedReader(_Counted(file, read))
        if not compression:
            yield counted
            return
        with open_compressed(counted, compression) as unpacked:
            yield io.BufferedReader(cast(io.RawIOBase, unpacked))


class _Counted(io.RawIOBase):
    """A binary file that tells how much of it is read."""

    def __init__(self, file: io.BufferedReader, read: Told) -> None:
        self._file, self._told = file, read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._told(count)
        return count
