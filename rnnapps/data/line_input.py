"""Lines of a file or of standard input as they come, with their numbers, and where the next run is to go on."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.file_kinds import require_table
from rnnapps.errors import DataError

__all__ = ["STANDARD_INPUT", "LineInput", "line_text", "tell_of_terminal"]

STANDARD_INPUT = "standard input"
CHUNK_BYTES = 1 << 16
LONGEST_LINE = 1 << 24
SEEN_BYTES = 1 << 12
"""Bytes at the beginning of a file, and before a place in it, by which the place is known again."""


class _Bytes(Protocol):
    """What bytes are read from."""

    def read1(self, size: int, /) -> bytes:
        """Those that are there, once there are any; none at the end."""


class LineInput:
    """The lines of a source, one after another.

    With a memory that is kept, a file that has grown since is gone on with where the last run ended, any other file is
    read from its beginning, and standard input is what follows: of bytes that the last run had read, none is lost. The
    last line, if it has no line feed, is then left for the next run, since it may be half a line.

    Args:
        source: a file, or `-` for standard input.
        memory: what was read before.
    """

    def __init__(self, source: str, memory: StreamMemory) -> None:
        self.source, self.memory = source, memory
        self.name = STANDARD_INPUT if source == "-" else source
        self.number = 0
        self._taken = 0
        self._ahead = b""
        self._uncounted: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        """Yields each line with its line feed; `number` is then its number, from 1.

        Raises:
            DataError: the source cannot be read, is no text, or a line has no end.
        """
        with self._opened() as file:
            self.memory.watch("input", self._now)
            while line := self._line(file):
                yield line
        if self._ahead and self.memory.keeps:
            print(f"{self.name}: the last line has no end; it is left for the next run", file=sys.stderr)

    def done(self) -> None:
        """The lines so far have been used: the next run need not see them again."""
        self._taken += sum(map(len, self._uncounted))
        self._uncounted = []

    def _line(self, file: _Bytes) -> bytes:
        """The next line; empty at the end."""
        while (end := self._ahead.find(b"\n") + 1) == 0:
            with self.memory.waiting():
                chunk = file.read1(CHUNK_BYTES)
            if not self.number and not self._ahead:
                require_table(chunk, self.name)
            if not chunk:
                end = 0 if self.memory.keeps else len(self._ahead)
                break
            self._ahead += chunk
            if len(self._ahead) > LONGEST_LINE:
                problem = f"line {self.number + 1} has more than {LONGEST_LINE:,} bytes"
                raise DataError(self.name, problem, "give a text with line feeds")
        line, self._ahead = self._ahead[:end], self._ahead[end:]
        if line:
            self.number += 1
            self._uncounted.append(line)
        return line

    def _opened(self) -> contextlib.AbstractContextManager[_Bytes]:
        """The source at the place where reading goes on."""
        before = self.memory.before("input")
        if self.source == "-":
            if before:
                self.number, self._ahead = int(before.facts["lines"]), bytes.fromhex(before.facts["ahead"])
            tell_of_terminal("lines")
            return contextlib.nullcontext(_standard_input())
        try:
            file = open(Path(self.source), "rb")  # noqa: SIM115  (closed by the caller)
        except FileNotFoundError:
            problem = "is a symbolic link to a file that does not exist" if Path(self.source).is_symlink() else ""
            raise DataError(self.source, problem or "does not exist", "check the path") from None
        except IsADirectoryError:
            raise DataError(self.source, "is a folder", "give a file, or - for standard input") from None
        except OSError as error:
            raise DataError(self.source, f"cannot be read: {error.strerror}", "check its permissions") from None
        if before and before.facts["seen"] and _seen(file, int(before.facts["taken"])) == before.facts["seen"]:
            self.number, self._taken = int(before.facts["lines"]), int(before.facts["taken"])
        file.seek(self._taken)
        return file

    def _now(self) -> Remembered:
        """The number of lines used, and the place behind them or the bytes read ahead."""
        lines, seen = self.number - len(self._uncounted), ""
        if self.source != "-":
            with contextlib.suppress(OSError), open(self.source, "rb") as file:  # else the file has gone
                seen = _seen(file, self._taken)
        ahead = b"".join([*self._uncounted, self._ahead]) if self.source == "-" else b""
        return Remembered({"lines": lines, "taken": self._taken, "seen": seen, "ahead": ahead.hex()})


def _standard_input() -> _Bytes:
    """Standard input as bytes.

    Raises:
        DataError: it is closed.
    """
    if sys.stdin is None or getattr(sys.stdin, "closed", False):
        raise DataError(STANDARD_INPUT, "is closed", "give a file, or pipe lines in")
    binary: _Bytes | None = getattr(sys.stdin, "buffer", None)
    return binary if binary is not None and hasattr(binary, "read1") else _Encoded(sys.stdin)


class _Encoded:
    """A text stream, put in the place of standard input, as bytes."""

    def __init__(self, text: IO[str]) -> None:
        self.text = text

    def read1(self, size: int, /) -> bytes:
        """Some bytes; empty at the end."""
        return self.text.read(size).encode("utf-8", errors="surrogateescape")


def line_text(name: str, number: int, line: bytes) -> str:
    """A line as text, without its end; of the first one a byte order mark is dropped.

    Args:
        name: what to call the source in errors.
        number: of the line, from 1.
        line: its bytes.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise DataError(name, f"line {number} is not UTF-8 text", "convert it (iconv)") from None


def tell_of_terminal(what: str) -> None:
    """Says on standard error that standard input is waited for, where that is a terminal."""
    if sys.stdin is not None and not getattr(sys.stdin, "closed", False) and sys.stdin.isatty():
        print(f"reading {what} from the terminal; Ctrl-D ends them", file=sys.stderr)


def _seen(file: IO[bytes], place: int) -> str:
    """A fingerprint of the beginning of a file and of what stands before a place; empty where the file ends earlier."""
    if file.seek(0, 2) < place:
        return ""
    file.seek(0)
    digest = hashlib.sha256(file.read(min(SEEN_BYTES, place)))
    file.seek(max(place - SEEN_BYTES, 0))
    digest.update(file.read(min(SEEN_BYTES, place)))
    return digest.hexdigest()
