"""Rows of comma-separated values out of lines as they come."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from rnnapps.data.line_input import LineInput

__all__ = ["CsvRecords", "Record", "cut_cells"]

MOST_LINES = 100
"""Lines that one row may go on over; more are an open quote."""

_OPEN = "unexpected end of data"
"""What the csv module says of a quote that is not closed."""


class Record(NamedTuple):
    """A row of a file, which may be several lines where a cell holds line feeds.

    Attributes:
        line: number of its first line, from 1.
        text: the lines.
        problem: what is wrong with them; empty for nothing.
    """

    line: int
    text: str
    problem: str


class CsvRecords:
    """Yields each row of an input that is not empty.

    Args:
        lines: the input.

    Attributes:
        separator: character between cells, as soon as it is known.
    """

    def __init__(self, lines: LineInput) -> None:
        self.lines, self.separator = lines, ","

    def __iter__(self) -> Iterator[Record]:
        """Yields the rows; raises DataError as `LineInput` does."""
        text, first, number = "", 0, 0
        for line in self.lines:
            number = self.lines.number
            first = first if text else number
            try:
                text += line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield Record(number, "", "is not UTF-8 text")
                text = ""
                continue
            if self._is_open(text) and number - first < MOST_LINES:
                continue
            if text.strip():
                yield Record(first, text, "")
            text = ""
        if text and not self.lines.memory.keeps:  # else its end may come with the next run
            yield Record(first, text, "")

    def _is_open(self, text: str) -> bool:
        """Whether a quoted cell goes on in the next line."""
        if '"' not in text:
            return False
        try:
            cut_cells(text, self.separator)
        except csv.Error as error:
            return _OPEN in str(error)
        return False


def cut_cells(text: str, separator: str) -> list[str]:
    """The cells of a row, without the spaces around them.

    Raises:
        csv.Error: a quote is wrong or not closed, or a cell is too long.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    return [cell.strip() for cell in next(reader, [])]
