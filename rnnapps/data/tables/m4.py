"""The files of the M4 competition as they are published: CSV with a series a line, `"H1",605,586,...`."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from rnnapps.data.number_cells import MISSING, read_number
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, read_text
from rnnapps.data.tables.stacked import FileSeries, stacked, value_places
from rnnapps.errors import DataError

__all__ = ["M4Reader"]

CHANNEL = "value"
_BEGIN = re.compile(rb'(\xef\xbb\xbf)?"?V1"?,"?V2"?,[^\n]*\n"?[YQMWDH]\d+"?,')


class M4Reader(TableReader):
    """`Hourly-train.csv` and its like; they hold no times."""

    title = "a file of the M4 competition"

    def recognises(self, head: bytes) -> bool:
        """Whether the columns are called V1, V2... and the first row begins with the name of a series."""
        return _BEGIN.match(head) is not None

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file."""
        reader = csv.reader(read_text(path).splitlines())
        series = []
        try:
            next(reader)
            series = [_read(path, reader.line_num, row) for row in reader if row]
        except csv.Error as error:
            raise DataError(path, f"line {reader.line_num}: {error}", "correct the line") from None
        return stacked(path, series, [CHANNEL])


def _read(path: Path, line: int, row: list[str]) -> FileSeries:
    """The series of a line; empty cells at its end are those of longer series."""
    name, *cells = (cell.strip() for cell in row)
    while cells and cells[-1] in MISSING:
        cells.pop()
    values = np.empty((len(cells), 1))
    for place, cell in enumerate(cells):
        number = read_number(cell, ".")
        if number is None:
            raise DataError(path, f"line {line}, value {place + 1}: {cell[:60]!r} is no number", "correct it")
        values[place] = number
    return FileSeries(name, values, None, value_places(f"line {line}"))
