"""Which cell of a row is what, and the numbers in them."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np

from rnnapps.data.csv_file import SEPARATORS
from rnnapps.data.csv_records import cut_cells
from rnnapps.data.number_cells import other_mark, read_number, without_unit
from rnnapps.data.preamble import joined_header
from rnnapps.data.series.column_names import has_column
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.table_roles import NO_TIME, SERIES_NAMES, TIME_NAMES, column_parts
from rnnapps.data.tables.readers import recognising_reader
from rnnapps.errors import DataError
from rnnapps.printable import name_list
from rnnapps.types import Array

__all__ = ["RowColumns", "find_columns"]

LARGEST = 3.4e38


class RowColumns:
    """The columns of a stream.

    Args:
        rules: how rows are written.
        source: what they come from, for errors.
        names: of the columns, in their order.
        separator: character between cells.
        where: the line that names them, for errors.

    Raises:
        DataError: a channel, or a time that is needed, has no column.
    """

    def __init__(self, rules: RowRules, source: str, names: Sequence[str], *, separator: str, where: str) -> None:
        self.where = where
        self.rules, self.source, self.names, self.separator = rules, source, joined_header([names]), separator
        missing = [name for name in rules.channels if name not in names]
        if missing:
            raise DataError(source, f"{where}: has no column {missing[0]!r}", f"it names {_shown(names)}")
        self._places = [self.names.index(name) for name in rules.channels]
        config, known = rules.config, rules.known
        self._series = self._columns(config.series, known.get("series", ""), SERIES_NAMES)
        no_time = config.time == NO_TIME
        self._time = () if no_time else self._columns(config.time, known.get("time", ""), TIME_NAMES)
        if not self._time and rules.needs_time:
            raise DataError(
                source, f"{where}: has no column of times", "this model reads the calendar: add one called time"
            )
        other = known.get("separator") != separator or config.separator not in ("auto", known.get("separator"))
        found = "" if other else known.get("decimal", "")
        self._decimal = config.decimal if config.decimal != "auto" else "." if separator == "," else found
        self._missing = tuple(map(str, config.missing))

    def cut(self, text: str, where: str) -> list[str]:
        """The cells of a row.

        Raises:
            DataError: they are not as many as there are columns, or a quote is wrong.
        """
        try:
            cells = cut_cells(text, self.separator)
        except csv.Error as error:
            raise DataError(self.source, f"{where} is no row of a table ({error})", "correct it") from None
        if len(cells) != len(self.names):
            problem = f"{where}: has {len(cells)} cells; expected {len(self.names)}"
            raise DataError(self.source, problem, f"separate them by {self.separator!r}")
        return cells

    def time(self, cells: Sequence[str]) -> str | None:
        """The time of a row as it stands there; None where there is no column of it."""
        return " ".join(cells[place] for place in self._time) if self._time else None

    def series(self, cells: Sequence[str]) -> str:
        """The name of the series of a row; "" where no column names it."""
        return "/".join(cells[place] for place in self._series)

    def values(self, cells: Sequence[str], where: str) -> Array:
        """The numbers of the channels, float64 `(channels,)`, NaN where missing.

        Raises:
            DataError: a cell holds no number.
        """
        return np.array([self._number(cells[place], where, self.names[place]) for place in self._places], np.float64)

    def _number(self, cell: str, where: str, name: str) -> float:
        """A cell's number; with either sign of decimals where the training data showed none."""
        cell = without_unit(cell, self.rules.known.get(f"unit of {name}", ""))
        first = self._decimal or ("," if "," in cell else ".")  # one comma alone marks decimals, as between semicolons
        number = read_number(cell, first, missing=self._missing)
        if number is None and self.rules.config.decimal == "auto":
            number = read_number(cell, other_mark(first), missing=self._missing)
        if number is None:
            problem = f"{where}, column {name!r}: {cell[:60]!r} is no number"
            raise DataError(self.source, problem, "correct it, or leave the cell empty if it is missing")
        if abs(number) > LARGEST:
            problem = f"{where}, column {name!r}: the number is infinite or above 3.4e38"
            raise DataError(self.source, problem, "correct it, or leave the cell empty if it is missing")
        return number

    def _columns(self, asked: str, known: str, usual: Sequence[str]) -> tuple[int, ...]:
        """The columns that are asked for, those of the training data, or one with a usual name."""
        wanted = [name for name in (asked, known) if has_column(name, self.names)]
        if asked and not wanted:
            raise DataError(self.source, f"{self.where}: has no column {asked!r}", f"it names {_shown(self.names)}")
        lowered = [name.lower() for name in self.names]
        wanted += [self.names[lowered.index(name)] for name in usual if name in lowered]
        free = [name for name in wanted if name not in self.rules.channels]
        return tuple(map(self.names.index, column_parts(free[0], self.names))) if free else ()


def find_columns(rules: RowRules, source: str, text: str, where: str) -> tuple[RowColumns, bool]:
    """The columns of a stream by its first row, and whether that names them.

    A row of numbers alone names none: they are those of the channels, in the order of training.

    Raises:
        DataError: it neither names the channels nor holds their values.
    """
    separators = [rules.config.separator] if rules.config.separator != "auto" else list(SEPARATORS)
    separators.sort(key=lambda separator: separator != rules.known.get("separator"))
    rows = {separator: _cells(text, separator) for separator in separators}
    for separator, cells in rows.items():
        if set(rules.channels) <= set(cells):
            return RowColumns(rules, source, cells, separator=separator, where=where), True
    if reader := recognising_reader(f"{text.rstrip()}\n".encode(errors="replace")):
        raise DataError(source, f"is {reader.title}, and a stream is lines of CSV", "predict reads such a file")
    separator = max(rows, key=lambda each: (len(set(rows[each]) & set(rules.channels)), len(rows[each])))
    if any(_is_name(cell, rules) for cell in rows[separator]):
        columns = RowColumns(rules, source, rows[separator], separator=separator, where=where)
        return columns, True  # it has said which column is missing
    likely = [each for each in (rules.known.get("separator", ""), separator) if each in rows]
    fitting = next((each for each in likely if len(rows[each]) == len(rules.channels)), None)
    if fitting is None:
        problem = f"{where}: has {len(rows[separator])} cells; expected {len(rules.channels)}"
        raise DataError(source, problem, f"give {', '.join(rules.channels)}, or a line of column names first")
    return RowColumns(rules, source, rules.channels, separator=fitting, where=where), False


def _shown(names: Sequence[str]) -> str:
    """Names of columns in one line, whatever they are."""
    return name_list([" ".join(name.split())[:60] for name in names])


def _cells(text: str, separator: str) -> list[str]:
    """The cells of a row; one where its quotes are wrong."""
    try:
        return cut_cells(text, separator)
    except csv.Error:
        return [text]


def _is_name(cell: str, rules: RowRules) -> bool:
    """Whether a cell is no number and not missing."""
    missing = tuple(map(str, rules.config.missing))
    return all(read_number(cell, kind, missing=missing) is None for kind in ".,")
