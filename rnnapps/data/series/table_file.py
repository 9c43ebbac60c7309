"""One CSV or Parquet file as a table whose columns have the types their roles need."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnapps.data.archives import unpacked_source
from rnnapps.data.csv_file import (
    MISSING,
    CsvShape,
    inspect_csv,
    may_be_thousands,
    other_mark,
    read_number,
)
from rnnapps.data.series.bad_cells import without_bad_cells
from rnnapps.data.series.clock_columns import clock_columns
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.table_frame import Table, frame_table, require_numbers
from rnnapps.data.series.table_roles import Roles, assign_roles
from rnnapps.data.series.timestamps import looks_like_time
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["read_table"]


def read_table(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None = None) -> Table:
    """Reads a file.

    Args:
        path: the file.
        config: what the user says of it.
        known: how the cells of the training data were written, see `Series.rules`.

    Raises:
        DataError: the file is missing or no table, a column has no role, or a cell is not what its column needs.
    """
    path = unpacked_source(path)
    parquet = path.suffix.lower() == ".parquet"
    table = _read_parquet(path, config) if parquet else _read_csv(path, config, known)
    return require_numbers(table)


def _read_csv(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None) -> Table:
    """Columns by their roles, times as text, numbers with the decimal character that was found."""
    shape = without_bad_cells(inspect_csv(path, config, known), config)
    texts: dict[str, str] = {}
    times = []
    for number, name in enumerate(shape.names):
        cells = [row[number].strip() for row in shape.sample]
        wrong = next((row for row, cell in enumerate(cells) if shape.number(cell) is None), None)
        if wrong is not None:
            texts[name] = _wrong_cell(shape, shape.line(wrong), cells[wrong])
            present = pd.Series([cell for cell in cells if cell not in (*MISSING, *shape.missing)], dtype=str)
            times += [name] if looks_like_time(present) else []
    numbers = [(name, _sampled(shape, column)) for column, name in enumerate(shape.names) if name not in texts]
    clocks, doubts = clock_columns(numbers)
    roles = assign_roles(path, shape.names, texts=texts, times=[*times, *clocks], doubts=doubts, config=config)
    roles = dataclasses.replace(roles, notes=(*roles.notes, *_units(shape, roles), *_doubtful_marks(shape, roles)))
    try:
        frame = _frame(shape, roles, thousands=None)
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        _require_numbers(shape, roles, error)
        mark = other_mark(shape.decimal)
        frame = _frame(shape, roles, thousands=mark)
        told = f"{mark!r} is read as the mark between thousands, {shape.decimal!r} as that of decimals"
        roles = dataclasses.replace(roles, notes=(*roles.notes, told))
    return Table(path, frame, roles, lambda row: f"line {shape.line(row)}", _rules(shape, roles))


def _rules(shape: CsvShape, roles: Roles) -> dict[str, str]:
    """The separator, the units in cells, and the decimal character where a number shows one."""
    places = [shape.names.index(name) for name in roles.numbers]
    shown = any(mark in row[place] for row in shape.sample for place in places for mark in ".,")
    units = {f"unit of {name}": shape.units[name] for name in roles.numbers if name in shape.units}
    return {"separator": shape.separator, **units} | ({"decimal": shape.decimal} if shown else {})


def _frame(shape: CsvShape, roles: Roles, *, thousands: str | None) -> pd.DataFrame:
    """The columns that have a role."""
    kinds: dict[str, Any] = {name: str if name in shape.units else np.float64 for name in roles.numbers}
    kinds |= {name: str for name in (*roles.texts, *((roles.time,) if roles.time else ()))}
    frame = pd.read_csv(
        shape.path,
        sep=shape.separator,
        decimal=shape.decimal,
        thousands=thousands,
        header=0,
        names=list(shape.names),
        usecols=list(kinds),
        dtype=kinds,
        index_col=False,
        na_values={name: [""] if name in roles.texts else [*MISSING, *shape.missing] for name in kinds},
        keep_default_na=False,
        skipinitialspace=True,
        skiprows=[line - 1 for line in shape.skipped],
        encoding="utf-8-sig",
        engine="c",
    )
    for name in shape.units.keys() & set(roles.numbers):
        cells = frame[name].fillna("")
        frame[name] = np.array([_number(shape, name, cell) for cell in cells], np.float64)
    return frame


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


def _require_numbers(shape: CsvShape, roles: Roles, error: Exception) -> None:
    """Raises DataError for the first cell that is not a number where one is needed, or for what is wrong otherwise."""
    columns = [(shape.names.index(name), name) for name in roles.numbers]
    marked = False
    for line, row in shape.rows():
        for place, name in columns:
            if shape.number(row[place], column=name) is None:
                problem = f"column {name!r} holds text: {_wrong_cell(shape, line, row[place])}"
                raise DataError(shape.path, problem, "correct it, or leave the cell empty if it is missing") from None
            marked |= other_mark(shape.decimal) in row[place]
    if not marked:
        message = str(error).splitlines()[0]
        raise DataError(shape.path, f"cannot be read as a table ({message})", "correct the file") from None


def _wrong_cell(shape: CsvShape, line: int, cell: str) -> str:
    """What to tell of a cell that is no number."""
    told = f"line {line}: {cell[:60]!r}"
    other = "," if shape.decimal == "." else "."
    if read_number(cell, other) is not None:
        told += f", while its numbers have a decimal {'point' if other == ',' else 'comma'}"
        told += f" (--data.decimal '{other}' reads the other)"
    return told


def _read_parquet(path: Path, config: SeriesDataConfig) -> Table:
    if not path.is_file():
        raise DataError(path, "does not exist" if not path.exists() else "is not a file", "check the path")
    try:
        frame = pd.read_parquet(path)
    except Exception as error:  # pyarrow raises many kinds for damaged files
        raise DataError(path, f"cannot be read as Parquet ({str(error).splitlines()[0]})", "write it again") from None
    return frame_table(frame, config, path=path, place=lambda row: f"row {row + 1}")
