"""Prompts from a file."""

from __future__ import annotations

from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.line_input import LineInput, line_text
from rnnapps.errors import DataError

__all__ = ["prompts_of"]


def prompts_of(source: str) -> list[str]:
    """The lines of a file, or of standard input for `-`, without their ends; empty ones are prompts too.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8.
    """
    lines = LineInput(source, StreamMemory())
    found = [line_text(lines.name, lines.number, line) for line in lines]
    if not found:
        raise DataError(lines.name, "holds no line", "give a prompt a line")
    return found
