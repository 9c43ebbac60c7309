"""Small CSV files whose columns are known by name: lists of recordings, of videos, of labels."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from rnnapps.data.csv_file import LONGEST_CELL
from rnnapps.errors import DataError
from rnnapps.printable import printable

__all__ = ["csv_dicts", "shown_names"]


def shown_names(names: Iterable[object]) -> str:
    """Names of columns or keys for an error, in one line whatever they hold; "none" where there are none."""
    return ", ".join(printable(" ".join(str(name).split())) for name in names) or "none"


def csv_dicts(path: Path | str, text: str | Iterable[str]) -> tuple[set[str], Iterator[tuple[str, dict[str, str]]]]:
    """The names of the columns; and each row by them, with what a person calls its place: "line 7".

    A cell that a row lacks is "".

    Args:
        path: the file, for errors.
        text: its content, or the lines of it.

    Raises:
        DataError: a quote is wrong, or a cell is too long; with the line.
    """
    csv.field_size_limit(LONGEST_CELL)
    lines = io.StringIO(text, newline="") if isinstance(text, str) else text
    reader = csv.DictReader(lines, restval="")

    def rows() -> Iterator[tuple[str, dict[str, str]]]:
        try:
            for row in reader:
                yield f"line {reader.line_num}", {name: cell for name, cell in row.items() if name is not None}
        except csv.Error as error:
            raise DataError(path, f"line {reader.line_num + 1}: {error}", "correct the line") from None

    try:
        return set(reader.fieldnames or ()), rows()
    except csv.Error as error:
        raise DataError(path, f"line 1: {error}", "correct the line") from None
