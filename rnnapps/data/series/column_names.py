"""Columns that settings name: by name, by number, and several that say one thing together."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.table_roles import JOIN, NO_TIME, asked_columns, column_parts
from rnnapps.data.series.time_texts import cell_texts
from rnnapps.data.series.timestamps import looks_like_time
from rnnapps.errors import DataError

__all__ = ["has_column", "join_columns", "with_day_and_clock", "with_named_columns"]

_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?"
SINGLE = ("time", "series", "label")
SEVERAL = ("channels", "known", "categorical", "static")
ConfigT = TypeVar("ConfigT", bound=SeriesDataConfig)


def has_column(name: str, names: Sequence[str]) -> bool:
    """Whether a name stands for columns that are there."""
    return bool(name) and all(part in names for part in column_parts(name, names))


def with_named_columns(
    config: ConfigT, names: Sequence[str], path: Path | str, *, others: Collection[str] = ()
) -> ConfigT:
    """The configuration with the names of columns that it gives by number.

    Args:
        config: what the user says of the columns.
        names: all columns.
        path: the table, for errors.
        others: names that are none of these columns, and stay.

    Raises:
        DataError: there is no column of a name or a number; with the nearest.
    """
    known = [*names, *others]

    def named(name: str) -> str:
        if not name or name == NO_TIME:
            return name
        return JOIN.join(one(part) for part in column_parts(name, known))

    def one(name: str) -> str:
        return name if name in known else _numbered(name, names, path)

    asked = {field: getattr(config, field) for field in (*SINGLE, *SEVERAL)}
    found: dict[str, Any] = {field: named(asked[field]) for field in SINGLE}
    found |= {field: tuple(one(name) for name in asked[field]) for field in SEVERAL}
    return config if found == asked else dataclasses.replace(config, **found)


def _numbered(name: str, names: Sequence[str], path: Path | str) -> str:
    """The name of a column that is given by its number from 1."""
    if name.isascii() and name.isdecimal() and 1 <= int(name) <= len(names):
        return names[int(name) - 1]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"the nearest is {close[0]!r}" if close else f"there are {', '.join(map(repr, names[:20]))}"
    raise DataError(path, f"has no column {name!r}", hint)


def with_day_and_clock(config: ConfigT, texts: Mapping[str, pd.Series]) -> tuple[ConfigT, tuple[str, ...]]:
    """The configuration, where one column holds days and one times of day, which are the time; and what to tell of it.

    Args:
        config: what the user says of the columns; where it names the time, that stands.
        texts: the first cells of each column of text, missing ones left out.
    """
    if config.time:
        return config, ()
    asked = asked_columns(config, list(texts))
    free = {name: cells for name, cells in texts.items() if name not in asked and len(cells)}
    if len(free) < 2:
        return config, ()
    clocks = [name for name, cells in free.items() if cells.str.strip().str.fullmatch(_CLOCK).all()]
    days = [name for name, cells in free.items() if name not in clocks and _are_days(cells)]
    if not len(days) == len(clocks) == 1:
        return config, ()
    told = f"columns {days[0]!r} and {clocks[0]!r} together are read as the time"
    return dataclasses.replace(config, time=JOIN.join([*days, *clocks])), (told,)


def _are_days(cells: pd.Series) -> bool:
    """Whether all cells are days without a time of day."""
    return not cells.str.contains(":", regex=False).any() and looks_like_time(cells)


def join_columns(
    frame: pd.DataFrame, path: Path | str, place: Callable[[int], str], *, time: str, series: str
) -> pd.DataFrame:
    """The frame with the column of the time, and that of the series, where several columns say it together.

    Args:
        frame: the columns.
        path: the table, for errors.
        place: names a row.
        time: name of the time; empty for none.
        series: name of the column of series; empty for none.

    Raises:
        DataError: two different rows would get one name.
    """
    names = list(frame.columns)
    if time and time not in names:
        frame = frame.assign(**{time: _joined_times([frame[part] for part in column_parts(time, names)])})
    if series and series not in names:
        columns = [frame[part] for part in column_parts(series, names)]
        frame = frame.assign(**{series: _joined_names(columns, path, place)})
    return frame


def _joined_times(columns: Sequence[pd.Series]) -> pd.Series:
    """Days and times of day as texts of both; missing where one is."""
    texts = [
        column.dt.strftime("%Y-%m-%d") if pd.api.types.is_datetime64_any_dtype(column.dtype) else cell_texts(column)
        for column in columns
    ]
    return _joined(columns, [text.str.strip() for text in texts], " ")


def _joined_names(columns: Sequence[pd.Series], path: Path | str, place: Callable[[int], str]) -> pd.Series:
    """Names of series from several columns: `1/BREAD`; missing where one is.

    Raises:
        DataError: two different rows would get one name.
    """
    names = _joined(columns, [cell_texts(column).str.strip() for column in columns], "/")
    keys = pd.concat(list(map(cell_texts, columns)), axis=1).drop_duplicates()
    twice = names.loc[keys.index].duplicated().to_numpy().nonzero()[0]
    if len(twice):
        row = int(names.index.get_loc(keys.index[twice[0]]))
        problem = f"{place(row)}: the name {names.iloc[row]!r} stands for two series"
        raise DataError(path, problem, "take the slashes out of the columns that name the series")
    return names


def _joined(columns: Sequence[pd.Series], texts: Sequence[pd.Series], between: str) -> pd.Series:
    """Texts side by side, missing where a column is."""
    missing = pd.concat([column.isna() for column in columns], axis=1).any(axis=1)
    return texts[0].str.cat(list(texts[1:]), sep=between).mask(missing)
