"""Tables of other formats than CSV, as those of a series reader."""

from __future__ import annotations

import dataclasses
import decimal
from pathlib import Path

import numpy as np
import pandas as pd

from rnnapps.data.number_cells import read_number
from rnnapps.data.series.column_names import with_named_columns
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.table_frame import Table, frame_table
from rnnapps.data.series.table_roles import NO_TIME, TIME_NAMES, asked_columns
from rnnapps.data.tables.reader import FoundTable, TableOptions

__all__ = ["found_table", "table_options"]


def table_options(config: SeriesDataConfig) -> TableOptions:
    """What a reader needs to know of the settings."""
    return TableOptions(config.table, config.query, config.frequency, timed=config.time != NO_TIME)


def found_table(path: Path | str, found: FoundTable, config: SeriesDataConfig, *, title: str) -> Table:
    """Gives the columns that a reader found their roles.

    Args:
        path: the file, for errors.
        found: its table.
        config: what the user says of the columns, which goes before what the format says.
        title: what the format is called.

    Raises:
        DataError: a column has no role, or is not what its role needs.
    """
    names = [str(name) for name in found.frame.columns]
    if found.extra:  # before some are left out, since that changes the numbers of the others
        levels = [str(name) for name in found.frame.index.names]
        config = with_named_columns(config, names, path, others=[*levels, config.time])
    asked = asked_columns(config, names)
    frame = found.frame.drop(columns=[name for name in found.extra if name not in asked])
    if not config.time and found.time and found.time not in asked:
        config = dataclasses.replace(config, time=found.time)
    if not config.series and found.series and found.series not in asked:
        config = dataclasses.replace(config, series=found.series)
    if found.texts_hold_numbers:
        texts = asked_columns(config, names) - {config.label, *config.channels, *config.known}
        frame = _with_numbers(frame, {*texts, *TIME_NAMES}, tuple(map(str, config.missing)))
    table = frame_table(frame, config, path=path, place=found.place)
    roles = dataclasses.replace(table.roles, notes=(*table.roles.notes, *found.notes))
    return dataclasses.replace(table, roles=roles, rules={**table.rules, "format": title})


def _with_numbers(frame: pd.DataFrame, kept: set[str], missing: tuple[str, ...]) -> pd.DataFrame:
    """The frame with numbers for texts that are all numbers, but for some columns."""
    columns = {}
    for name in frame.columns:
        column = frame[name]
        if str(name).lower() in kept or name in kept or pd.api.types.is_numeric_dtype(column.dtype):
            continue
        cells = [_number(cell, missing) for cell in column]
        if None not in cells:
            columns[name] = np.array(cells, np.float64)
    return frame.assign(**columns)


def _number(cell: object, missing: tuple[str, ...]) -> float | None:
    """The number of a cell, NaN for a missing one, None for what is none."""
    if isinstance(cell, str):
        return read_number(cell, ".", missing=missing)
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return float("nan")
    return float(cell) if isinstance(cell, int | float | decimal.Decimal) else None
