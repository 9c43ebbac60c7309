"""Lines of comma-separated values that a CSV reader reads back, and of which a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

__all__ = ["csv_line", "without_formulas"]

_FORMULA = re.compile(r"(^|[,;|\t\r\n])([\s']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")
"""Where a spreadsheet would begin a formula: at the start of a cell, also of one that its own separator cuts off."""
_NUMBER = re.compile(r"[+-]?(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?")


def csv_line(cells: Sequence[object]) -> str:
    """A line of comma-separated values with its line feed; texts are quoted where they must be.

    Args:
        cells: numbers as they are to be written, and texts, which `without_formulas` makes harmless.
    """
    line = io.StringIO()
    plain = [without_formulas(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(line, lineterminator="\n").writerow(plain)
    return line.getvalue()


def without_formulas(text: str) -> str:
    """The text with an apostrophe before each `=`, `+`, `-` or `@` that a spreadsheet would take for a formula's start.

    A number stays as it is. So does a text without such a start, and whoever wants the others as they are finds them in
    the JSON of the same command.
    """
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1\2'", text)
