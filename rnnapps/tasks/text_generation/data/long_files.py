"""Text files that are too long to be decoded at once, in pieces: what `decode_text` would make of them."""

from __future__ import annotations

import codecs
import contextlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from rnnapps.data.compressed import BROKEN, compression_of, open_compressed
from rnnapps.data.file_kinds import HEAD_BYTES, require_text
from rnnapps.data.text.encodings import SAMPLE_BYTES, encoding_of, found_encoding
from rnnapps.errors import DataError

__all__ = ["encoding_of_file", "lines_of", "text_pieces"]

PIECE = 1 << 20
"""Bytes, or characters, that are read at once."""


def text_pieces(path: Path, encoding: str) -> Iterator[str]:
    """The text of a file in pieces, every line ended by a line feed.

    Args:
        path: the file, compressed or not.
        encoding: as `encoding_of_file` found it.

    Raises:
        DataError: the file cannot be read any more.
    """
    try:
        with _opened(path) as stream, io.TextIOWrapper(stream, encoding=encoding, newline=None) as text:
            yield text.read(PIECE).removeprefix("\ufeff")
            while piece := text.read(PIECE):
                yield piece
    except BROKEN as error:
        raise _unreadable(path, error) from None


def encoding_of_file(path: Path, told: str, name: str | Path) -> str:
    """The encoding in which all of a file is text.

    Args:
        path: the file, compressed or not.
        told: the encoding that was named; empty to find it.
        name: what to call the file in an error.

    Raises:
        DataError: it is no text, or none in its encoding.
    """
    try:
        with _opened(path) as stream:
            head = stream.read(max(SAMPLE_BYTES, HEAD_BYTES) + 1)
        marked = encoding_of(head[:4])
        if marked == "UTF-8":
            require_text(head, name)
        encoding = told or marked if marked == "UTF-8" else marked
        fault = _first_fault(path, encoding, name)
        if fault is None:
            return encoding
        if encoding == "UTF-8":
            for sample in (head, fault.around):
                found = found_encoding(sample, name)
                if found is not None and _first_fault(path, found, name) is None:
                    return found
        raise _no_text(name, fault, encoding, marked=marked != "UTF-8")
    except BROKEN as error:
        raise _unreadable(path, error) from None


def lines_of(pieces: Iterable[str]) -> Iterator[str]:
    """Yields the lines of a text in pieces, with their line feeds."""
    rest = ""
    for piece in pieces:
        lines = io.StringIO(rest + piece, newline="\n").readlines()
        rest = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        yield from lines
    if rest:
        yield rest


class _Fault:
    """Where a file is no text in an encoding.

    Args:
        byte: number of the byte, from 0.
        line: number of the line, from 1.
        value: the byte.
        around: bytes from there on.
    """

    def __init__(self, byte: int, line: int, value: int, around: bytes) -> None:
        self.byte, self.line, self.value, self.around = byte, line, value, around


def _first_fault(path: Path, encoding: str, name: str | Path) -> _Fault | None:
    """The first place at which a file is no text; raises DataError for one that is binary."""
    decoder, before, lines, zeros = codecs.getincrementaldecoder(encoding)(), 0, 0, 0
    with _opened(path) as stream:
        block, last = stream.read(PIECE), False
        while not last:
            last = not block
            rest = decoder.getstate()[0]
            try:
                decoder.decode(block, final=last)
            except UnicodeDecodeError as error:
                whole = rest + block
                line = lines + whole.count(b"\n", 0, error.start) + 1
                around = whole[error.start :] + stream.read(SAMPLE_BYTES)
                return _Fault(before - len(rest) + error.start, line, whole[error.start], around)
            before, lines, zeros = before + len(block), lines + block.count(b"\n"), zeros + block.count(0)
            block = stream.read(PIECE)
    if encoding == "UTF-8" and zeros * 10 > before:
        problem = f"looks binary or like UTF-16: {zeros:,} of {before:,} bytes are zero"
        raise DataError(name, problem, "convert it to UTF-8 text or leave it out")
    return None


def _no_text(name: str | Path, fault: _Fault, encoding: str, *, marked: bool) -> DataError:
    """What is said of a file that is no text in its encoding."""
    if marked:
        problem = f"begins with the byte order mark of {encoding}, but byte {fault.byte} is not text in it"
        return DataError(name, problem, "restore the file, or leave it out if it is binary")
    place = f"byte {fault.byte:,} (line {fault.line:,}) is 0x{fault.value:02x}"
    if encoding == "UTF-8":
        remedy = "name its encoding with --data.encoding, or leave it out if it is binary"
        return DataError(name, f"{place}, which is not UTF-8 text there", remedy)
    return DataError(name, f"{place}, which is no {encoding} text", "name another encoding")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """What a file holds, unpacked if it is compressed."""
    with open(path, "rb") as file:
        compression = compression_of(path, file.read(8))
        file.seek(0)
        with open_compressed(file, compression) if compression else file as stream:
            yield stream


def _unreadable(path: Path, error: Exception) -> DataError:
    """What is said of a file that cannot be read."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(path, f"cannot be read: {reason}", "check its permissions, or copy it again")
