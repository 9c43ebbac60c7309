"""Regular times: duplicates merged, and rows put on a grid, or refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.data.series.frequency import Frequency, detect_frequency
from rnnapps.data.series.series import Series
from rnnapps.data.series.timestamps import to_local
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["merge_duplicates", "next_times", "regular_rows"]

Place = Callable[[int], str]

MOST_EMPTY_PLACES = 50_000_000
"""A grid of more places than this is a wrong timestamp rather than a gap."""


def merge_duplicates(series: Series, policy: str, *, path: Path | str, place: Place) -> tuple[Series, Array]:
    """Makes the times of a series strictly ascending.

    Args:
        series: rows in the order of time.
        policy: refuse, first, last or mean (of each number; the last row decides about categories and labels).
        path: the file, for errors.
        place: names a row.

    Returns:
        The series, and the rows it kept (with "mean", the last of each time).

    Raises:
        DataError: a time occurs twice and the policy refuses that.
    """
    assert series.times is not None
    starts = np.flatnonzero(np.concatenate([[True], np.diff(series.times).astype(np.int64) > 0]))
    if len(starts) == len(series):
        return series, starts
    if policy == "refuse":
        row = int(np.flatnonzero(np.diff(series.times).astype(np.int64) == 0)[0])
        problem = f"{place(row + 1)}: the time {series.times[row]} UTC of series {series.name!r} occurs twice,"
        problem += f" first at {place(row)}"
        raise DataError(path, problem, "remove one, or keep one by --data.duplicates first, last or mean")
    ends = np.append(starts[1:], len(series)) - 1
    kept = starts if policy == "first" else ends
    merged = _pick(series, kept)
    if policy == "mean":
        merged = dataclasses.replace(merged, values=_means(series.values, starts), known=_means(series.known, starts))
    note = f"{len(series) - len(starts):,} rows repeat a time: the {policy} was kept"
    return dataclasses.replace(merged, notes=(*merged.notes, note)), kept


def regular_rows(
    series: Series, frequency: Frequency | None, *, regularise: bool, path: Path | str, place: Place
) -> Series:
    """Puts a series on a regular grid, or makes sure that it is on one.

    Args:
        series: strictly ascending times.
        frequency: distance of the grid's places; None finds it.
        regularise: whether rows may be moved to the grid's place before them, averaged there, and empty places filled
            with missing values.
        path: the file, for errors.
        place: names a row.

    Raises:
        DataError: the times are not regular and must not be made so, or the grid would be absurdly long.
    """
    assert series.times is not None
    local = to_local(series.times, series.timezone)
    frequency = frequency or detect_frequency(series.times, local)
    if frequency is None:
        return series
    calendar = series.times if frequency.unit == "nanosecond" else local
    first = _grid_start(calendar[0], frequency) if regularise else calendar[0]
    places, exact = frequency.indices(calendar, first)
    gaps = np.diff(places) != 1
    if exact.all() and not gaps.any():
        return dataclasses.replace(series, frequency=frequency)
    if not regularise:
        row = int(np.flatnonzero(~exact[1:] | gaps)[0]) + 1
        between = f"{series.times[row]} UTC follows {series.times[row - 1]} UTC in series {series.name!r}"
        problem = f"{place(row)}: {between}, but rows are {frequency} apart"
        remedy = "add the missing rows, or give --data.irregular regularise, or --data.frequency if it is another"
        raise DataError(path, problem, remedy)
    if places[-1] + 1 > MOST_EMPTY_PLACES + 2 * len(series):
        row = int(np.diff(places).argmax()) + 1
        problem = f"{place(row)}: {series.times[row]} UTC lies so far from {series.times[row - 1]} UTC that a grid of "
        raise DataError(
            path, problem + f"{frequency} has {places[-1] + 1:,} places", "correct the time or --data.frequency"
        )
    return _on_grid(series, frequency, first=first, places=places, moved=int((~exact).sum()))


def _grid_start(first: np.datetime64, frequency: Frequency) -> np.datetime64:
    """The round moment at or before the first time."""
    if frequency.unit == "month":
        return np.datetime64(first.astype("datetime64[M]"), "ns")
    if frequency.unit == "day":
        return np.datetime64(first.astype("datetime64[D]"), "ns")
    since = first.astype(np.int64)
    return np.datetime64(int(since - since % frequency.count), "ns")


def _on_grid(series: Series, frequency: Frequency, *, first: np.datetime64, places: Array, moved: int) -> Series:
    """The series with one row in each of the grid's places: means of its rows, or missing values."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(places) > 0]))
    ends = np.append(starts[1:], len(series)) - 1
    rows, filled = int(places[-1]) + 1, places[starts]
    tables: dict[str, Any] = {
        "values": _spread(_means(series.values, starts), filled, rows, np.nan),
        "known": _spread(_means(series.known, starts), filled, rows, np.nan),
        "categories": _spread(series.categories[ends], filled, rows, -1),
    }
    if series.labels is not None:
        tables["labels"] = _spread(np.maximum.reduceat(series.labels, starts), filled, rows, -1)
    grid = frequency.times(np.arange(rows), first)
    times = grid if frequency.unit == "nanosecond" else _from_local(grid, series.timezone)
    empty = rows - len(filled)
    notes = [f"{moved:,} rows were moved to the grid of {frequency}"] if moved else []
    notes += [f"{empty:,} of {rows:,} places of the grid of {frequency} have no row"] if empty else []
    return dataclasses.replace(series, times=times, frequency=frequency, notes=(*series.notes, *notes), **tables)


def next_times(last: np.datetime64, count: int, frequency: Frequency, timezone: str) -> Array:
    """UTC times of the rows that follow a UTC time, datetime64[ns] `(count,)`."""
    places = np.arange(1, count + 1)
    if frequency.unit == "nanosecond":
        return frequency.times(places, last)
    local = to_local(np.array([last], "datetime64[ns]"), timezone)[0]
    return _from_local(frequency.times(places, local), timezone)


def _from_local(local: Array, timezone: str) -> Array:
    """Calendar times to UTC; an hour that clocks skip becomes the next one, one that comes twice the first."""
    import pandas as pd

    index = pd.DatetimeIndex(local).tz_localize(
        timezone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
    )
    return np.asarray(index.tz_convert("UTC").tz_localize(None).as_unit("ns"))


def _means(table: Array, starts: Array) -> Array:
    """Means of the present numbers of each group of rows; NaN where none is present."""
    if len(starts) == len(table) or not table.shape[1]:
        return table[starts]
    present = ~np.isnan(table)
    sums = np.add.reduceat(np.where(present, table, 0).astype(np.float64), starts)
    counts = np.add.reduceat(present.astype(np.int64), starts)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return np.asarray(means.astype(table.dtype))


def _spread(table: Array, places: Array, rows: int, missing: float) -> Array:
    """A table of `rows` rows with those of `table` in their places, and missing values elsewhere."""
    spread = np.full((rows, *table.shape[1:]), missing, table.dtype)
    spread[places] = table
    return spread


def _pick(series: Series, rows: Array) -> Series:
    """The series of these rows only."""
    tables = {name: getattr(series, name) for name in ("times", "values", "known", "categories", "labels")}
    return dataclasses.replace(series, **{name: table[rows] for name, table in tables.items() if table is not None})
