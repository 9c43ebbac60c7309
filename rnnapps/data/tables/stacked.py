"""Series of a file, one below the other as one long table."""

from __future__ import annotations

import bisect
import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from rnnapps.data.series.frequency import DAY, Frequency, parse_frequency
from rnnapps.data.tables.reader import FoundTable, require_room
from rnnapps.errors import ConfigError, DataError
from rnnapps.types import Array

__all__ = ["FileSeries", "grid_times", "stacked", "to_frequency", "value_places"]

TIME, SERIES = "time", "series"
FIRST_YEAR, LAST_YEAR = 1678, 2261
_MONTHS = ("M", "MS", "ME")
_ALIASES = {
    **{"sec": "s", "t": "min", "hr": "h", "l": "ms", "q": "3mo", "qs": "3mo", "qe": "3mo"},
    **dict.fromkeys(("a", "as", "ys", "ye", "yearly"), "y"),
    **{"seconds": "s", "minutely": "min", "minutes": "min", "halfhourly": "30min", "hourly": "h", "daily": "d"},
    **{"weekly": "w", "monthly": "mo", "quarterly": "3mo"},
}
"""Frequencies as pandas and Monash call them, in ours; months keep the day of the first row, or the end of months."""


@dataclass(frozen=True)
class FileSeries:
    """One series of a file.

    Attributes:
        name: its name.
        values: float64 `(rows, channels)`.
        times: datetime64[ns] `(rows,)`, in UTC or local; None where it has none.
        place: maps a row, counted from 0, to where it stands in the file.
        facts: what else is said of the whole series.
        columns: further columns, `(rows,)` each.
    """

    name: str
    values: Array
    times: Array | None
    place: Callable[[int], str]
    facts: Mapping[str, object] = field(default_factory=dict)
    columns: Mapping[str, Sequence[object]] = field(default_factory=dict)


def stacked(
    path: Path, series: Sequence[FileSeries], channels: Sequence[str], *, notes: Sequence[str] = ()
) -> FoundTable:
    """The table of all series.

    Args:
        path: the file.
        series: at least one; either all have times, or none has.
        channels: names of the columns of `values`.
        notes: what a person should know.

    Raises:
        DataError: there is no series, or one has no rows.
    """
    full = [each for each in series if len(each.values)]
    if not full:
        raise DataError(path, "holds no series", "give a file that holds rows")
    if len({each.times is None for each in full}) > 1:
        raise DataError(path, "holds series with times and others without", "give --data.time none, or keep them apart")
    require_room(path, rows=sum(len(each.values) for each in full), columns=len(channels) + 2)
    clock, named = (name if name not in channels else f"{name}_" for name in (TIME, SERIES))
    extra = sorted({name for each in full for name in (*each.facts, *each.columns)} - {clock, named, *channels})
    frame = pd.DataFrame(np.concatenate([each.values for each in full]), columns=list(channels))
    frame.insert(0, named, np.repeat([each.name for each in full], [len(each.values) for each in full]))
    if full[0].times is not None:
        frame.insert(1, clock, np.concatenate([each.times for each in full if each.times is not None]))
    for name in extra:
        cells = itertools.chain.from_iterable(_cells(each, name) for each in full)
        frame[name] = pd.Series(list(cells), dtype=object).infer_objects()
    starts = list(itertools.accumulate((len(each.values) for each in full), initial=0))

    def place(row: int) -> str:
        number = bisect.bisect_right(starts, row) - 1
        return full[number].place(row - starts[number])

    told = (f"columns {', '.join(map(repr, extra))}: read where a setting names them",) if extra else ()
    clock = clock if full[0].times is not None else ""
    return FoundTable(frame, place, time=clock, series=named, extra=tuple(extra), notes=(*notes, *told))


def value_places(where: str) -> Callable[[int], str]:
    """Where each value of a series stands, whose values stand together: "line 3, value 7"."""
    return lambda row: f"{where}, value {row + 1}"


def _cells(series: FileSeries, name: str) -> Sequence[object]:
    """The cells of a further column; None where the series has none."""
    return series.columns.get(name) or [series.facts.get(name)] * len(series.values)


def to_frequency(alias: str, path: Path, where: str) -> Frequency:
    """The frequency that a file names as pandas or Monash do: `30T`, `W-SUN`, `10_minutes`.

    Raises:
        DataError: it is none.
    """
    plain = alias.strip().split("-")[0].replace("_", "")
    named = plain.lstrip("0123456789")
    digits = plain[: len(plain) - len(named)]
    unit = "mo" if named in _MONTHS else _ALIASES.get(named.lower(), named.lower())
    inner = unit.lstrip("0123456789")
    count = int(digits[:9] or 1) * int(unit[: len(unit) - len(inner)] or 1)
    try:
        return parse_frequency(f"{count}{inner}")
    except ConfigError:
        known = "such as 15min, 1h, 1d, 1w, 1mo"
        raise DataError(path, f"{where}: {alias!r} is no frequency", f"give --data.frequency, {known}") from None


def grid_times(start: datetime.datetime, rows: int, frequency: Frequency, *, path: Path, where: str) -> Array:
    """Times of rows at equal distances, datetime64[ns] `(rows,)`.

    Raises:
        DataError: they leave the years 1678 to 2261.
    """
    years = rows * frequency.nanoseconds / (365 * DAY)
    if not start.year >= FIRST_YEAR or start.year + years > LAST_YEAR:
        problem = f"{where}: {rows:,} rows {frequency} apart from {start} leave the years {FIRST_YEAR} to {LAST_YEAR}"
        raise DataError(path, problem, "give --data.time none, which takes rows as equal steps")
    first = np.datetime64(start.replace(tzinfo=None), "ns")
    next_day = start + datetime.timedelta(days=1)
    if frequency.unit == "month" and next_day.day == 1 and start.day > 28:
        frequency = Frequency(frequency.count, "month_end")
    return frequency.times(np.arange(rows), first)
