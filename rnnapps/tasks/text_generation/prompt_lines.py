"""Prompts from a file."""

from __future__ import annotations

from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.line_input import LineInput
from rnnapps.errors import DataError

__all__ = ["prompts_of"]


def prompts_of(source: str) -> list[str]:
    """The lines of a file, or of standard input for `-`, without their ends; empty ones are prompts too.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8.
    """
    lines, found = LineInput(source, StreamMemory()), []
    for line in lines:
        try:
            found.append(line.decode("utf-8-sig" if lines.number == 1 else "utf-8").rstrip("\r\n"))
        except UnicodeDecodeError:
            raise DataError(lines.name, f"line {lines.number} is not UTF-8 text", "convert it (iconv)") from None
    if not found:
        raise DataError(lines.name, "holds no line", "give a prompt a line")
    return found
