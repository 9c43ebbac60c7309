"""One file as a table whose columns have the types their roles need."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from rnnapps.data.archives import unpacked_source
from rnnapps.data.converters import reason_of
from rnnapps.data.csv_file import CsvShape, inspect_csv
from rnnapps.data.number_cells import MISSING, may_be_thousands, other_mark, read_number
from rnnapps.data.preamble import INDEX
from rnnapps.data.series.bad_cells import without_bad_cells
from rnnapps.data.series.clock_columns import clock_columns
from rnnapps.data.series.column_names import join_columns, with_day_and_clock, with_named_columns
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.found_tables import found_table, table_options
from rnnapps.data.series.likely_keys import likely_keys
from rnnapps.data.series.table_frame import Table, require_numbers
from rnnapps.data.series.table_roles import Roles, asked_columns, assign_roles, column_parts
from rnnapps.data.series.timestamps import looks_like_time
from rnnapps.data.tables.arrow import ParquetReader
from rnnapps.data.tables.database import is_database, read_database
from rnnapps.data.tables.encoded import table_encoding, utf8_copy
from rnnapps.data.tables.reader import CsvCopy, TableReader
from rnnapps.data.tables.readers import find_reader
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["LargeTable", "large_table", "may_be_read_in_pieces", "read_table"]

_ODD = re.compile(r"(?<=\d)[^\d.,eE+-](?=\d)|^[(\u2212]")
"""In a number: marks between thousands that are no points or commas, and other signs of negative ones."""


PIECE_ROWS = 1 << 18
"""Of a table that is read in pieces."""


@dataclass(frozen=True)
class _Ways:
    """How numbers are read.

    Attributes:
        thousands: mark between thousands; None for none.
        plainly: whether pandas can; else cell by cell.
    """

    thousands: str | None = None
    plainly: bool = True


def read_table(source: Path | str, config: SeriesDataConfig, known: Mapping[str, str] | None = None) -> Table:
    """Reads a table.

    Args:
        source: a file, or the address of a database.
        config: what the user says of it.
        known: how the cells of the training data were written, see `Series.rules`.

    Raises:
        DataError: the file is missing or no table, a column has no role, or a cell is not what its column needs.
    """
    if is_database(source):
        found = read_database(str(source), table_options(config))
        return require_numbers(found_table(str(source), found, config, title="a database"))
    path = unpacked_source(source)
    reader = find_reader(path)
    if known is None:
        _require_meaning(path, reader, config)
    if reader is None:
        return require_numbers(_read_encoded(path, config, known))
    content = reader.read(path, table_options(config))
    if isinstance(content, CsvCopy):
        return require_numbers(_read_copy(path, content, config, known, title=reader.title))
    return require_numbers(found_table(path, content, config, title=reader.title))


def _require_meaning(path: Path, reader: TableReader | None, config: SeriesDataConfig) -> None:
    """Raises DataError for settings that choose a table or rows of a file which holds one table alone."""
    for name in ("table", "query"):
        if getattr(config, name) and (reader is None or name not in reader.takes):
            title = reader.title if reader else "a CSV file"
            problem = f"is {title}, for which --data.{name} {getattr(config, name)!r} means nothing"
            raise DataError(path, problem, "leave the setting out")


def _read_copy(
    path: Path, copy: CsvCopy, config: SeriesDataConfig, known: Mapping[str, str] | None, *, title: str
) -> Table:
    """The cells of a file that were written as CSV; what is wrong with them is told of the file itself."""
    try:
        table = _read_csv(copy.path, dataclasses.replace(config, separator="\t"), known)
    except DataError as error:
        raise DataError(path, error.problem, error.remedy) from None
    rules = {name: rule for name, rule in table.rules.items() if name not in ("separator", "decimal")}
    return dataclasses.replace(table, path=path, rules={**rules, "format": title})


def _read_encoded(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None) -> Table:
    """A CSV file in any encoding, which is told where it is not UTF-8."""
    encoding = table_encoding(path)
    if encoding == "UTF-8":
        return _read_csv(path, config, known)
    try:
        table = _read_csv(utf8_copy(path, encoding), config, known)
    except DataError as error:
        raise DataError(path, error.problem, error.remedy) from None
    roles = dataclasses.replace(table.roles, notes=(*table.roles.notes, f"it is not UTF-8, and is read as {encoding}"))
    return dataclasses.replace(table, path=path, roles=roles)


def _read_csv(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None) -> Table:
    """Columns by their roles, times as text, numbers with the decimal character that was found."""
    shape, roles = _understood(path, config, known)
    frame, marks = _read_frame(shape, roles)
    roles = dataclasses.replace(roles, notes=(*roles.notes, *marks))
    return Table(path, frame, roles, lambda row: f"line {shape.line(row)}", _rules(shape, roles))


def _understood(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None) -> tuple[CsvShape, Roles]:
    """The shape of a CSV file, and the roles of its columns."""
    shape = without_bad_cells(inspect_csv(path, config, known), config)
    config = with_named_columns(config, shape.names, path)
    texts: dict[str, str] = {}
    cells_of: dict[str, pd.Series] = {}
    for number, name in enumerate(shape.names):
        cells = [row[number].strip() for row in shape.sample]
        wrong = next((row for row, cell in enumerate(cells) if shape.number(cell) is None), None)
        if wrong is not None:
            texts[name] = _wrong_cell(shape, shape.line(wrong), cells[wrong])
            present = [cell for cell in cells if cell not in (*MISSING, *shape.missing)]
            cells_of[name] = pd.Series(present, dtype=str)
    numbers = [(name, _sampled(shape, column)) for column, name in enumerate(shape.names) if name not in texts]
    clocks, doubts = clock_columns(numbers)
    config, told = with_day_and_clock(config, cells_of)
    times = [*(name for name, cells in cells_of.items() if looks_like_time(cells)), *clocks]
    keys = likely_keys(pd.DataFrame(shape.sample, columns=list(shape.names)), config, texts=texts, times=times)
    names, counted = _without_counts(shape, config)
    roles = assign_roles(path, names, texts=texts, times=times, doubts=doubts, config=config, keys=keys)
    notes = (*roles.notes, *told, *counted, *_units(shape, roles), *_doubtful_marks(shape, roles))
    return shape, dataclasses.replace(roles, notes=notes)


def _without_counts(shape: CsvShape, config: SeriesDataConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns but for one without a name that counts the rows, as pandas writes it first; and what to tell."""
    free = shape.unnamed and shape.names[0] == INDEX and INDEX not in asked_columns(config, shape.names)
    counts = _sampled(shape, 0) if free else np.zeros(0)
    if len(counts) < 2 or not (np.diff(counts) == 1).all():
        return shape.names, ()
    return shape.names[1:], ("the first column has no name and counts the rows: it is left out",)


class LargeTable(Protocol):
    """A table that is read in pieces."""

    def pieces(self) -> Iterator[Table]:
        """Its rows, some hundred thousand at once; raises what pandas does where numbers are written otherwise."""

    def another_way(self, error: Exception) -> LargeTable:
        """The same table, its numbers read in another way; raises DataError where there is none."""


def may_be_read_in_pieces(path: Path) -> bool:
    """Whether a file is of a format that can be: CSV or Parquet."""
    reader = find_reader(path)
    return reader is None or isinstance(reader, ParquetReader)


def large_table(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None) -> LargeTable | None:
    """A CSV or Parquet file that is read in pieces; None for one that has to be read whole.

    Args:
        path: the file, unpacked.
        config: what the user says of it.
        known: as for `read_table`.

    Raises:
        DataError: as `read_table`.
    """
    reader = find_reader(path)
    if known is None:
        _require_meaning(path, reader, config)
    if isinstance(reader, ParquetReader):
        return _LargeParquet(path, reader, config)
    encoding = table_encoding(path) if reader is None else ""
    if reader is not None or config.static or encoding != "UTF-8":
        return None
    shape, roles = _understood(path, config, known)
    return None if roles.static_texts or roles.static_numbers else _LargeCsv(path, shape, roles)


@dataclass(frozen=True)
class _LargeParquet:
    """A Parquet file that is read in pieces."""

    path: Path
    reader: ParquetReader
    config: SeriesDataConfig

    def pieces(self) -> Iterator[Table]:
        """Its rows."""
        start = 0
        for content in self.reader.read_in_pieces(self.path, PIECE_ROWS):
            placed = dataclasses.replace(content, place=partial(_row_place, start))
            yield require_numbers(found_table(self.path, placed, self.config, title=self.reader.title))
            start += len(content.frame)

    def another_way(self, error: Exception) -> LargeTable:
        """There is none."""
        raise DataError(self.path, f"cannot be read as a table ({reason_of(error)})", "correct the file") from None


def _row_place(start: int, row: int) -> str:
    """What a person calls a row of a piece."""
    return f"row {start + row + 1:,}"


@dataclass(frozen=True)
class _LargeCsv:
    """A CSV file that is read in pieces; with `ways` as `_frame` has them."""

    path: Path
    shape: CsvShape
    roles: Roles
    ways: _Ways = _Ways()

    def pieces(self) -> Iterator[Table]:
        """Its rows."""
        shape, roles, start = self.shape, self.roles, 0
        with pd.read_csv(**_arguments(shape, roles, self.ways), chunksize=PIECE_ROWS) as chunks:
            for chunk in chunks:
                frame = _finished(chunk.reset_index(drop=True), shape, roles, self.ways)
                place = partial(_line_place, shape, start)
                yield require_numbers(Table(self.path, frame, roles, place, _rules(shape, roles)))
                start += len(frame)

    def another_way(self, error: Exception) -> LargeTable:
        """The numbers with marks between thousands, or cell by cell."""
        if self.ways != _Ways():
            raise DataError(self.path, f"cannot be read as a table ({reason_of(error)})", "correct it") from None
        ways, told = _other_ways(self.shape, self.roles, error)
        return dataclasses.replace(self, ways=ways, roles=_with_note(self.roles, told))


def _line_place(shape: CsvShape, start: int, row: int) -> str:
    """What a person calls a row of a piece."""
    return f"line {shape.line(start + row)}"


def _with_note(roles: Roles, told: str) -> Roles:
    """Roles with one more note."""
    return dataclasses.replace(roles, notes=(*roles.notes, told))


def _read_frame(shape: CsvShape, roles: Roles) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The columns that have a role, quickly where numbers are written plainly; and what to tell of their signs."""
    try:
        return _frame(shape, roles, _Ways()), ()
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        ways, told = _other_ways(shape, roles, error)
    return _frame(shape, roles, ways), (told,)


def _other_ways(shape: CsvShape, roles: Roles, error: Exception) -> tuple[_Ways, str]:
    """How numbers that are not plain are read, and what to tell of it; raises DataError where they are none."""
    odd, mark = _require_numbers(shape, roles, error), other_mark(shape.decimal)
    if not odd:
        told = f"{mark!r} is read as the mark between thousands, {shape.decimal!r} as that of decimals"
        return _Ways(thousands=mark), told
    return _Ways(plainly=False), f"{odd!r} is read as {shape.number(odd)}"


def _rules(shape: CsvShape, roles: Roles) -> dict[str, str]:
    """The separator, the units in cells, and the decimal character where a number shows one."""
    places = [shape.names.index(name) for name in roles.numbers]
    shown = any(mark in row[place] for row in shape.sample for place in places for mark in ".,")
    units = {f"unit of {name}": shape.units[name] for name in roles.numbers if name in shape.units}
    return {"separator": shape.separator, **units} | ({"decimal": shape.decimal} if shown else {})


def _frame(shape: CsvShape, roles: Roles, ways: _Ways) -> pd.DataFrame:
    """The columns that have a role."""
    return _finished(pd.read_csv(**_arguments(shape, roles, ways)), shape, roles, ways)


def _arguments(shape: CsvShape, roles: Roles, ways: _Ways) -> dict[str, Any]:
    """How pandas reads the file: numbers by itself, or as texts where they are not written plainly."""
    by_cell = shape.units if ways.plainly else roles.numbers
    kinds: dict[str, Any] = {name: str if name in by_cell else np.float64 for name in roles.numbers}
    clock, names = (column_parts(name, shape.names) if name else () for name in (roles.time, roles.series))
    texts = {*roles.categorical, *roles.static_texts, *names}
    kinds |= dict.fromkeys((*texts, *clock), str)
    return {
        "filepath_or_buffer": shape.path,
        "sep": shape.separator,
        "decimal": shape.decimal,
        "thousands": ways.thousands,
        "header": 0,
        "names": list(shape.names),
        "usecols": list(kinds),
        "dtype": kinds,
        "index_col": False,
        "na_values": {name: [""] if name in texts else [*MISSING, *shape.missing] for name in kinds},
        "keep_default_na": False,
        "skipinitialspace": True,
        "skiprows": [line - 1 for line in shape.skipped],
        "encoding": "utf-8-sig",
        "engine": "c",
    }


def _finished(frame: pd.DataFrame, shape: CsvShape, roles: Roles, ways: _Ways) -> pd.DataFrame:
    """What pandas has read, with numbers of cells that are texts, and columns that several say together."""
    for name in [name for name in roles.numbers if name in shape.units or not ways.plainly]:
        cells = frame[name].fillna("")
        frame[name] = np.array([_number(shape, name, cell) for cell in cells], np.float64)
    return join_columns(frame, shape.path, lambda row: f"line {shape.line(row)}", time=roles.time, series=roles.series)


def _number(shape: CsvShape, name: str, cell: str) -> float:
    """The number of a cell of a column with a unit; raises ValueError for what is none."""
    number = shape.number(cell, column=name)
    if number is None:
        raise ValueError(cell)
    return number


def _units(shape: CsvShape, roles: Roles) -> Iterator[str]:
    """What to tell of columns with a unit in every cell."""
    for name in roles.numbers:
        if name in shape.units:
            yield f"column {name!r}: {shape.units[name]!r} is read as the unit of its numbers"


def _doubtful_marks(shape: CsvShape, roles: Roles) -> Iterator[str]:
    """What to tell of columns whose numbers are read with decimals, but may have marks between thousands."""
    for name in roles.numbers:
        cells = [row[shape.names.index(name)] for row in shape.sample]
        if may_be_thousands(cells, shape.decimal):
            cell = next(cell for cell in cells if shape.decimal in cell).strip()
            told = f"column {name!r}: {cell!r} is read as {read_number(cell, shape.decimal)}"
            remedy = f"if {shape.decimal!r} marks thousands: --data.decimal '{other_mark(shape.decimal)}'"
            yield f"{told}; {remedy}"


def _sampled(shape: CsvShape, column: int) -> Array:
    """The numbers of a column in the first rows."""
    return np.array([shape.number(row[column]) for row in shape.sample], np.float64)


def _require_numbers(shape: CsvShape, roles: Roles, error: Exception) -> str:
    """The first number with other signs than marks between thousands; "" for none.

    Raises:
        DataError: a cell is not a number where one is needed, or what is wrong otherwise.
    """
    columns = [(shape.names.index(name), name) for name in roles.numbers]
    marked, odd = False, ""
    for line, row in shape.rows():
        for place, name in columns:
            if shape.number(row[place], column=name) is None:
                problem = f"column {name!r} holds text: {_wrong_cell(shape, line, row[place])}"
                raise DataError(shape.path, problem, "correct it, or leave the cell empty if it is missing") from None
            marked |= other_mark(shape.decimal) in row[place]
            odd = odd or (row[place].strip() if name not in shape.units and _ODD.search(row[place].strip()) else "")
    if not marked and not odd:
        message = str(error).splitlines()[0]
        raise DataError(shape.path, f"cannot be read as a table ({message})", "correct the file") from None
    return odd


def _wrong_cell(shape: CsvShape, line: int, cell: str) -> str:
    """What to tell of a cell that is no number."""
    told = f"line {line}: {cell[:60]!r}"
    other = "," if shape.decimal == "." else "."
    if read_number(cell, other) is not None:
        told += f", while its numbers have a decimal {'point' if other == ',' else 'comma'}"
        told += f" (--data.decimal '{other}' reads the other)"
    return told
