"""Files with several tunes: ABC collections and segments of `**kern`, cut into one text for each."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnapps.data.compressed import plain_suffix
from rnnapps.data.sources import read_bytes
from rnnapps.errors import DataError

__all__ = ["COLLECTIONS", "PieceFile", "piece_files", "tunes", "tunes_of"]

COLLECTIONS = (".abc", ".krn")
"""Endings of files that hold several tunes at times."""

MAXIMUM_BYTES = 64 << 20
_ABC_TUNE = re.compile(rb"^X:.*$", re.MULTILINE)
_ABC_FIELD = re.compile(rb"^(?:[A-Za-z]:|%%).*$", re.MULTILINE)
_KERN_TUNE = re.compile(rb"^!!!!SEGMENT:?.*$", re.MULTILINE)


@dataclass(frozen=True)
class PieceFile:
    """Where a piece stands.

    Attributes:
        path: its file.
        tune: its number in that, from 1; 0 for all of it.
    """

    path: Path
    tune: int = 0

    @property
    def name(self) -> str:
        """What decides on its part."""
        return f"{self.path.name} {self.tune:06}" if self.tune else self.path.name

    def __str__(self) -> str:
        return f"{self.path}, tune {self.tune}" if self.tune else str(self.path)


def piece_files(paths: Sequence[Path]) -> list[PieceFile]:
    """The pieces of files, those of a collection one by one; what cannot be read is left to whoever reads it."""
    found: list[PieceFile] = []
    for path in paths:
        try:
            count = len(tunes_of(path)) if plain_suffix(path) in COLLECTIONS else 1
        except DataError:
            count = 1
        found += [PieceFile(path, number) for number in range(1, count + 1)] if count > 1 else [PieceFile(path)]
    return found


def tunes_of(path: Path) -> tuple[bytes, ...]:
    """The tunes of a file, which is read once for all that follow each other; see `tunes`.

    Raises:
        DataError: it cannot be read.
    """
    try:
        information = path.stat()
    except OSError:
        return tunes(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)  # which says what is wrong
    return _read_tunes(path, information.st_size, information.st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _read_tunes(path: Path, size: int, changed: int) -> tuple[bytes, ...]:
    """The tunes of a file in one state."""
    return tunes(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path)


def tunes(content: bytes, path: str | Path) -> tuple[bytes, ...]:
    """The tunes of a file, each with the fields at the file's beginning, which hold for all; one where it is none.

    Args:
        content: of the file.
        path: its name, whose ending tells ABC from `**kern`.
    """
    abc = plain_suffix(path) == ".abc"
    starts = [match.start() for match in (_ABC_TUNE if abc else _KERN_TUNE).finditer(content)]
    if len(starts) < 2:
        return (content,)
    head = content[: starts[0]]
    shared = b"".join(b"%s\n" % field.strip() for field in _ABC_FIELD.findall(head)) if abc else b""
    parts = [content[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return tuple(_with_fields(part, shared) for part in parts)


def _with_fields(tune: bytes, fields: bytes) -> bytes:
    """A tune with further fields behind its first line; its own come later, and hold where both say something."""
    first, end, rest = tune.partition(b"\n")
    return first + end + fields + rest
