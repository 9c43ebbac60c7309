"""A pandas frame as a table whose columns have the types their roles need."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from rnnapps.data.number_cells import read_number
from rnnapps.data.series.clock_columns import clock_columns
from rnnapps.data.series.column_names import join_columns, with_day_and_clock, with_named_columns
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.index_columns import with_index_columns
from rnnapps.data.series.likely_keys import likely_keys
from rnnapps.data.series.table_roles import Roles, assign_roles
from rnnapps.data.series.time_texts import cell_texts
from rnnapps.data.series.timestamps import looks_like_time
from rnnapps.errors import DataError

__all__ = ["Table", "frame_table", "require_numbers"]

Place = Callable[[int], str]

SAMPLE_ROWS = 500
LARGEST = 3.4e38
"""Numbers above this are taken for mistakes; their squares are still finite."""


@dataclass(frozen=True)
class Table:
    """A table in memory.

    Attributes:
        path: its file, or what it is called in errors.
        frame: the columns that have a role: float64 numbers, texts, and the time as it stands in the file.
        roles: what they are for.
        place: maps a row to what a person calls it: "line 7".
        rules: how its cells were found to be written, where the settings leave that open, see `Series.rules`.
    """

    path: Path | str
    frame: pd.DataFrame
    roles: Roles
    place: Place
    rules: Mapping[str, str] = field(default_factory=dict)


def frame_table(frame: pd.DataFrame, config: SeriesDataConfig, *, path: Path | str, place: Place) -> Table:
    """Gives the columns of a frame, and those of its index that say something, their roles and types.

    Args:
        frame: any; it stays as it is.
        config: what the user says of the columns.
        path: what the table is called in errors.
        place: names a row.

    Raises:
        DataError: a column has no role, or is not what its role needs.
    """
    frame, config = with_index_columns(_measured(frame, tuple(map(str, config.missing))), config, path)
    config = with_named_columns(config, list(frame.columns), path)
    texts, times = _texts_and_times(frame, place)
    plain = [(name, frame[name]) for name in frame.columns if name not in texts and name not in times]
    clocks, doubts = clock_columns(
        (name, column.iloc[:SAMPLE_ROWS].to_numpy(np.float64, na_value=np.nan)) for name, column in plain
    )
    times, sample = [*times, *clocks], frame.iloc[:SAMPLE_ROWS]
    shown = {name: _shown(sample[name].dropna()) for name in texts if not config.time}
    config, told = with_day_and_clock(config, shown)
    keys = likely_keys(sample, config, texts=texts, times=times)
    roles = assign_roles(path, list(frame.columns), texts=texts, times=times, doubts=doubts, config=config, keys=keys)
    roles = dataclasses.replace(roles, notes=(*roles.notes, *told))
    frame = join_columns(frame, path, place, time=roles.time, series=roles.series)
    numbers = {name: frame[name].to_numpy(np.float64, na_value=np.nan) for name in roles.numbers}
    names = {name: cell_texts(frame[name]).where(frame[name].notna()) for name in roles.texts}
    time = {roles.time: frame[roles.time]} if roles.time else {}
    return Table(path, pd.DataFrame({**time, **names, **numbers}), roles, place)


def _shown(column: pd.Series) -> pd.Series:
    """Cells as texts; days without a time of day as days."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype) and (column == column.dt.normalize()).all():
        return column.dt.strftime("%Y-%m-%d")
    return cell_texts(column)


def _measured(frame: pd.DataFrame, missing: Sequence[str]) -> pd.DataFrame:
    """The frame without the cells that mean "not measured"."""
    if not missing:
        return frame
    numbers = [number for token in missing for number in [read_number(token, ".")] if number is not None]
    return frame.mask(frame.isin([*missing, *numbers]))


def require_numbers(table: Table) -> Table:
    """The table, if it has rows and its numbers are finite or missing.

    Raises:
        DataError: they are not; with the row and the column.
    """
    if not len(table.frame):
        raise DataError(table.path, "has columns but no rows", "add rows")
    for name in table.roles.numbers:
        infinite = np.flatnonzero(np.abs(table.frame[name].to_numpy()) > LARGEST)
        if len(infinite):
            place = table.place(int(infinite[0]))
            problem = f"{place}, column {name!r}: the number is infinite or above 3.4e38"
            raise DataError(table.path, problem, "correct it, or leave the cell empty if it is missing")
    return table


def _texts_and_times(frame: pd.DataFrame, place: Place) -> tuple[dict[str, str], list[str]]:
    """Columns that do not hold numbers, with the place and content of a cell, and those of them that hold times."""
    texts, times = {}, []
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            times.append(name)
            texts[name] = f"times, such as {column.iloc[:1].to_list()}"
        elif not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype):
            row = _first_text(column)
            if row is not None:
                first = str(column.iloc[row])
                texts[name] = f"{place(row)}: {first[:60]!r}"
                times += [name] if looks_like_time(pd.Series([first])) else []
    return texts, times


def _first_text(column: pd.Series) -> int | None:
    """The first row that holds no number, else the first that holds anything; None where all are missing."""
    present = column.notna().to_numpy()
    numbers = pd.to_numeric(column, errors="coerce").notna().to_numpy() if column.dtype == object else ~present
    rows = np.flatnonzero(present & ~numbers)
    rows = rows if len(rows) else np.flatnonzero(present)
    return int(rows[0]) if len(rows) else None
