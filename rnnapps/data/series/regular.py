"""Regular times: duplicates merged, and rows given their places on a grid, or refused."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.data.series.fitted_frequency import detect_frequency
from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.grid import NEAR, Grid, from_local
from rnnapps.data.series.series import Series
from rnnapps.data.series.timestamps import to_local
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["is_next", "merge_duplicates", "next_times", "regular_rows"]

Place = Callable[[int], str]

MOST_EMPTY_PLACES = 50_000_000
"""A grid of more places than this is a wrong timestamp rather than a gap."""


def merge_duplicates(
    series: Series, policy: str, *, path: Path | str, place: Place, keys: str = ""
) -> tuple[Series, Array]:
    """Makes the times of a series strictly ascending.

    Args:
        series: rows in the order of time.
        policy: refuse, first, last or mean (of each number; the last row decides about categories and labels).
        path: the file, for errors.
        place: names a row.
        keys: columns that may name several series, as `--data.series` takes them.

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
        remedy = "remove one, or keep one by --data.duplicates first, last or mean"
        if keys:
            remedy = f"if the rows are of several series: --data.series {shlex.quote(keys)}; else {remedy}"
        raise DataError(path, problem, remedy)
    ends = np.append(starts[1:], len(series)) - 1
    kept = starts if policy == "first" else ends
    merged = _pick(series, kept)
    if policy == "mean":
        merged = dataclasses.replace(merged, values=_means(series.values, starts), known=_means(series.known, starts))
    note = f"{len(series) - len(starts):,} rows repeat a time: the {policy} was kept"
    return dataclasses.replace(merged, notes=(*merged.notes, note)), kept


def regular_rows(
    series: Series,
    frequency: Frequency | None,
    *,
    regularise: bool,
    absent: float = np.nan,
    path: Path | str,
    place: Place,
) -> Series:
    """Gives each row its place on a regular grid, or makes sure that it has one.

    Args:
        series: strictly ascending times.
        frequency: distance of the grid's places; None finds it.
        regularise: whether rows that share a place may be averaged, and empty places filled with missing values.
        absent: value of the channels in empty places.
        path: the file, for errors.
        place: names a row.

    Raises:
        DataError: the times are not regular and must not be made so, or the grid would be absurdly long.
    """
    assert series.times is not None
    local = to_local(series.times, series.timezone)
    wanted, frequency = frequency, frequency or detect_frequency(series.times, local)
    if frequency is None:
        return series
    grid = Grid.through(series.times if frequency.unit == "nanosecond" else local, frequency)
    if grid.complete:
        notes = (*series.notes, *grid.notes())
        return dataclasses.replace(series, frequency=frequency, notes=notes)
    if not regularise:
        row = grid.first_irregular
        between = f"{series.times[row]} UTC follows {series.times[row - 1]} UTC in series {series.name!r}"
        problem = f"{place(row)}: {between}, but rows are {frequency} apart"
        raise DataError(path, problem, _remedy(grid, series, wanted=wanted, local=local))
    if grid.size > MOST_EMPTY_PLACES + 2 * len(series):
        row = int(np.diff(grid.places).argmax()) + 1
        problem = f"{place(row)}: {series.times[row]} UTC lies so far from {series.times[row - 1]} UTC that a grid of "
        raise DataError(path, problem + f"{frequency} has {grid.size:,} places", "correct the time or --data.frequency")
    return _on_grid(series, grid, absent)


def _remedy(grid: Grid, series: Series, *, wanted: Frequency | None, local: Array) -> str:
    """What can be done about rows that are not regular, each tried on them."""
    assert series.times is not None
    remedies = []
    found = detect_frequency(series.times, local) if wanted else None
    if found is not None and found != wanted:
        other = Grid.through(series.times if found.unit == "nanosecond" else local, found)
        remedies += [f"leave out --data.frequency, which then is {found}"] if other.complete else []
    if grid.kept and grid.size <= MOST_EMPTY_PLACES:
        remedies += [
            "add the missing rows",
            f"give --data.irregular regularise ({grid.size:,} places {grid.frequency} apart, {grid.empty:,} without "
            "a row, which are then missing)",
        ]
    elif not remedies:
        remedies += [
            "correct the times",
            "name the distance to average rows at with --data.frequency and --data.irregular regularise",
        ]
    return ", or ".join([*remedies, "give --data.time none, which takes rows as equal steps"])


def _on_grid(series: Series, grid: Grid, absent: float) -> Series:
    """The series with one row in each of the grid's places: means of its rows, or `absent` in its channels."""
    assert series.times is not None
    places = grid.places
    starts = np.flatnonzero(np.concatenate([[True], np.diff(places) > 0]))
    ends = np.append(starts[1:], len(series)) - 1
    rows, filled = grid.size, places[starts]
    tables: dict[str, Any] = {
        "values": _spread(_means(series.values, starts), filled, rows, absent),
        "known": _spread(_means(series.known, starts), filled, rows, np.nan),
        "categories": _spread(series.categories[ends], filled, rows, -1),
    }
    if series.labels is not None:
        tables["labels"] = _spread(np.maximum.reduceat(series.labels, starts), filled, rows, -1)
    times = grid.frequency.times(np.arange(rows), grid.first)
    times = times if grid.frequency.unit == "nanosecond" else from_local(times, series.timezone)
    if grid.kept:
        times[places] = series.times
    zeros = ("values of rows that are not there are zero",) if grid.empty and not np.isnan(absent) else ()
    notes = (*series.notes, *grid.notes(), *zeros)
    return dataclasses.replace(series, times=times, frequency=grid.frequency, notes=notes, **tables)


def next_times(last: np.datetime64, count: int, frequency: Frequency, timezone: str) -> Array:
    """UTC times of the rows that follow a UTC time, datetime64[ns] `(count,)`."""
    places = np.arange(1, count + 1)
    if frequency.unit == "nanosecond":
        return frequency.times(places, last)
    local = to_local(np.array([last], "datetime64[ns]"), timezone)[0]
    return from_local(frequency.times(places, local), timezone)


def is_next(last: np.datetime64, time: np.datetime64, frequency: Frequency, timezone: str) -> bool:
    """Whether a UTC time is that of the row behind another, jitter allowed as `regular_rows` allows it."""
    distance = time - next_times(last, 1, frequency, timezone)[0]
    return bool(abs(distance.astype(np.int64)) <= NEAR * frequency.nanoseconds)


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
