r"""Text of strangers on a terminal: names of files, classes and sensors, characters of documents and transcripts.

A terminal obeys some characters: an escape sequence in a file's name can hide or forge lines, change the title or the
clipboard, and characters that turn the direction of writing can make one name look like another. They are shown as
escapes such as \x1b instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TextIO

__all__ = ["PrintableStream", "name_list", "printable", "terminal"]

_OBEYED = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x61C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _OBEYED if chr(code) not in "\n\t"}
_MOVES = "\x1b[A"  # a line up: how bars of progress, one below the other, are redrawn


def printable(text: str) -> str:
    """The text with every character that a terminal obeys, but for line feed and tab, as an escape."""
    return text.translate(_ESCAPES)


def name_list(names: Sequence[str], most: int = 20) -> str:
    """Names in a sentence, of many only the first."""
    shown = ", ".join(map(printable, names[:most]))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


class PrintableStream:
    """A text stream that shows what a terminal would obey; all else is that of the stream.

    A write that begins with a carriage return, or moves the cursor and does nothing else, comes from a bar of progress.

    Args:
        stream: where to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self.terminal = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.terminal, name)

    def write(self, text: str) -> int:
        """Writes text; returns its length."""
        if text.replace(_MOVES, "").strip("\r\n"):
            start = "\r" if text.startswith("\r") else ""
            self.terminal.write(start + printable(text.removeprefix(start)))
        else:
            self.terminal.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)


def terminal(stream: TextIO) -> TextIO:
    """The stream below, for what writes escape sequences of its own and no text that is not `printable`."""
    below: TextIO = getattr(stream, "terminal", stream)
    return below
