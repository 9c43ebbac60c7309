"""The index of a pandas frame as columns of a table: times, names of series, and what else it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.table_roles import NO_TIME, SERIES_NAMES, TIME_NAMES
from rnnapps.data.series.timestamps import looks_like_time
from rnnapps.errors import DataError

__all__ = ["with_index_columns"]


def with_index_columns(
    frame: pd.DataFrame, config: SeriesDataConfig, path: Path | str
) -> tuple[pd.DataFrame, SeriesDataConfig]:
    """A frame with columns instead of an index, and the configuration that knows what these are for.

    An index of times, or a level of it, is the column of times. The other level of an index of several, such as
    (store, time), names the series. Any other level is a column if it has a name, and else the number of a row, which
    says nothing.

    Args:
        frame: any; it stays as it is.
        config: what the user says of the columns; where it names the time or the series, that stands.
        path: what the table is called in errors.

    Raises:
        DataError: two columns have one name, or several levels might name the series.
    """
    plain = frame.reset_index(drop=True).infer_objects()
    plain.columns = pd.Index([str(name) for name in plain.columns])
    if not plain.columns.is_unique:
        twice = plain.columns[plain.columns.duplicated()][0]
        raise DataError(path, f"has two columns called {twice!r}", "rename one of them")
    levels, config = _named_levels(frame.index, config, list(plain.columns))
    both = [name for name in levels if name in plain.columns]
    if both:
        raise DataError(path, f"has a column and a level of its index called {both[0]!r}", "rename one of them")
    if isinstance(frame.index, pd.MultiIndex):
        config = _series_of_levels(levels, config, path)
    table = pd.concat([pd.DataFrame(levels), plain], axis=1) if levels else plain
    periods = [name for name in table.columns if isinstance(table[name].dtype, pd.PeriodDtype)]
    return table.assign(**{name: table[name].dt.to_timestamp() for name in periods}), config


def _named_levels(
    index: pd.Index, config: SeriesDataConfig, columns: list[str]
) -> tuple[dict[str, pd.Series], SeriesDataConfig]:
    """The levels that become columns, by name, and the configuration that knows which holds the time."""
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    clock = next((number for number, level in enumerate(levels) if _holds_times(level)), None)
    named: dict[str, pd.Series] = {}
    for number, level in enumerate(levels):
        name = "" if level.name is None else str(level.name)
        if number == clock and (config.time == NO_TIME or (config.time in columns and not name)):
            continue
        if number == clock:
            own = name or TIME_NAMES[0]
            name = config.time if config.time and config.time not in columns else own
            config = config if config.time else dataclasses.replace(config, time=name)
        elif not name and len(levels) > 1 and (clock is not None or number < len(levels) - 1):
            name = config.series or SERIES_NAMES[1]
        if name:
            name = f"{name}_{number}" if name in named else name
            named[name] = pd.Series(level.array, name=name).infer_objects()
    return named, config


def _holds_times(level: pd.Index) -> bool:
    """Whether a level of an index holds times or periods; of one without a name, texts of times too."""
    if isinstance(level, pd.DatetimeIndex | pd.PeriodIndex):
        return True
    texts = level.name is None and not pd.api.types.is_numeric_dtype(level.dtype) and len(level) > 0
    return texts and looks_like_time(pd.Series(level[:1].astype(str)))


def _series_of_levels(levels: dict[str, pd.Series], config: SeriesDataConfig, path: Path | str) -> SeriesDataConfig:
    """The configuration, in which the level beside the time names the series."""
    roles = {config.time, config.series, config.label, *config.channels, *config.known, *config.categorical}
    free = [name for name in levels if name not in roles | set(config.static)]
    if len(free) == 1 and not config.series:
        return dataclasses.replace(config, series=free[0])
    if free and not config.channels:
        names = ", ".join(map(repr, free))
        raise DataError(path, f"has the levels {names} in its index", "say which names the series by data.series")
    return config
