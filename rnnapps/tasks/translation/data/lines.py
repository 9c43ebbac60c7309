"""The lines of text files of any size, one after another, and a sample of them."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.file_kinds import HEAD_BYTES, require_text
from rnnapps.data.sources import read_bytes
from rnnapps.data.text.documents import decode_text
from rnnapps.data.text.encodings import encoding_of
from rnnapps.errors import DataError

__all__ = ["Line", "sampled", "text_lines"]

LARGE_BYTES = 1 << 25
"""Larger files are not held in memory."""

LONGEST_LINE = 1 << 22
"""Characters of a line of a file that is too large for the memory."""

DRAWN_AT_ONCE = 1 << 16

Item = TypeVar("Item")


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: from 1.
        text: without its end.
        document: how often lines without text have stood between others before it.
    """

    number: int
    text: str
    document: int


def text_lines(path: str | Path) -> Iterator[Line]:
    """The lines of a text file, empty ones too; what only follows the last line feed is none.

    Raises:
        DataError: it is missing, or not UTF-8, nor marked as UTF-16 or UTF-32; with the line.
    """
    plain = unpacked_source(path)
    large = plain.is_file() and plain.stat().st_size > LARGE_BYTES
    document, blank, begun = 0, False, False
    for number, text in enumerate(_streamed(plain, path) if large else _whole(plain, path), start=1):
        if not text.strip():
            blank = True
        else:
            document += blank and begun
            blank, begun = False, True
        yield Line(number, text, document)


def _whole(plain: Path, path: str | Path) -> list[str]:
    """The lines of a small file."""
    lines = decode_text(read_bytes(plain, maximum_bytes=LARGE_BYTES), path).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _streamed(plain: Path, path: str | Path) -> Iterator[str]:
    """The lines of a large file."""
    number = 0
    with open(plain, "rb") as file:
        head = file.read(HEAD_BYTES)
        encoding = encoding_of(head[:4])
        if encoding == "UTF-8":
            require_text(head, path)
        file.seek(0)
        with io.TextIOWrapper(file, encoding="utf-8-sig" if encoding == "UTF-8" else encoding) as text:
            try:
                while line := text.readline(LONGEST_LINE):
                    number += 1
                    if len(line) == LONGEST_LINE and not line.endswith("\n"):
                        problem = f"line {number:,} has more than {LONGEST_LINE:,} characters"
                        raise DataError(path, problem, "correct the file")
                    yield line.removesuffix("\n")
            except UnicodeDecodeError as error:
                problem = (
                    f"behind line {number:,} there is 0x{error.object[error.start]:02x}, which is not {encoding} text"
                )
                raise DataError(path, problem, "convert it to UTF-8, or leave those lines out") from None


def sampled(items: Iterable[Item], most: int) -> tuple[list[Item], int]:
    """At most so many of all items, each as likely as any other but the first, which always is among them.

    Args:
        items: any number of them.
        most: the most that are kept, at least 1.

    Returns:
        Those, in their order, the same each time; and the number of all.
    """
    kept: list[Item] = []
    indices = array("q")
    random, count = np.random.default_rng(0), 0
    drawn: Iterator[float] = iter(())
    for index, item in enumerate(items):
        count = index + 1
        if index < most:
            kept.append(item)
            indices.append(index)
            continue
        share = next(drawn, None)
        if share is None:
            drawn = iter(random.random(DRAWN_AT_ONCE).tolist())
            share = next(drawn)
        place = 1 + int(share * index)
        if place < most:
            kept[place], indices[place] = item, index
    return ([kept[place] for place in np.argsort(indices)] if count > most else kept), count
