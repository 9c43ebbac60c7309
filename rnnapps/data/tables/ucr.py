"""The archive of UCR as it was published in 2018: a case a line without any header, its class before its values."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rnnapps.data.file_kinds import HEAD_BYTES
from rnnapps.data.tables.headed import MISSING, number_of
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, read_text
from rnnapps.data.tables.stacked import FileSeries, stacked, value_places
from rnnapps.errors import DataError

__all__ = ["UcrReader"]

CHANNEL, CLASS, NAN = "value", "class", "NaN"
SHORTEST, LEAST_CASES = 8, 3
WIDE = 100
"""Values from which on a line is a case, whether or not others of its class are seen."""

_NUMBER = r"(?:[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?|NaN)"
_CASE = re.compile(rf"-?\d+(?:\.0+)?(?:\t{_NUMBER}){{{SHORTEST},}}\t*")
"""A whole number, which is the class, and numbers behind tabs."""


class UcrReader(TableReader):
    """`.tsv` files; the class of a case is a column that a setting may name."""

    title = "a .tsv file of the UCR archive"

    def recognises(self, head: bytes) -> bool:
        """Whether the first lines hold numbers between tabs, each begins with a class, and a class comes again."""
        if b"\t" not in head[:200]:
            return False
        lines = head.decode("ascii", errors="replace").splitlines()
        lines = [line.strip() for line in (lines[:-1] if len(head) >= HEAD_BYTES else lines) if line.strip()]
        classes = [line.split("\t", 1)[0] for line in lines]
        repeated = len(classes) >= LEAST_CASES and len(set(classes)) < len(classes)
        wide = bool(lines) and lines[0].count("\t") >= WIDE
        return (repeated or wide) and all(_CASE.fullmatch(line) for line in lines)

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file."""
        lines = enumerate(read_text(path).splitlines(), start=1)
        series = [_read(path, line, text) for line, text in lines if text.strip()]
        told = "no line of names: it is read as cases of the UCR archive, a class and then its values in each line"
        return stacked(path, series, [CHANNEL], notes=[told])


def _read(path: Path, line: int, text: str) -> FileSeries:
    """The case of a line; missing values at its end are those of longer cases."""
    label, *cells = text.strip().split("\t")
    while cells and cells[-1].strip() in ("", NAN):
        cells.pop()
    if not cells:
        raise DataError(path, f"line {line}: has no values", "write CLASS, and the values behind tabs")
    numbers = [number_of(path, line, MISSING if cell.strip() == NAN else cell) for cell in cells]
    values = np.array(numbers, np.float64)[:, None]
    return FileSeries(str(line), values, None, value_places(f"line {line}"), {CLASS: label.strip()})
