"""Timestamps: text or numbers to UTC, through time zones and the change to and from summer time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from rnnapps.data.series.clock_columns import unix_unit
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.time_formats import fitting_formats, shown_readings
from rnnapps.data.series.time_texts import as_texts, read_format, read_iso, zone_problem
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["SAMPLE_ROWS", "localise", "looks_like_time", "parse_times", "to_local"]

Place = Callable[[int], str]
"""Maps a row to what a person calls its place: "line 7"."""

SAMPLE_ROWS = 500
EPOCHS = {"unix_s": "s", "unix_ms": "ms", "unix_us": "us", "unix_ns": "ns"}
_PLAIN_NUMBER = r"[+-]?\d*[.,]?\d*([eE][+-]?\d+)?"
_OFFSET = r"[T ]\d{1,2}:?\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$"


def looks_like_time(texts: pd.Series) -> bool:
    """Whether all texts are times in ISO 8601 or another usual format, and not plain numbers."""
    present = texts.dropna()
    if not len(present) or present.str.fullmatch(_PLAIN_NUMBER).any():
        return False
    present = as_texts(present)
    iso = read_iso(present, utc=True).notna().all()
    return bool(iso) or bool(fitting_formats(present))


def parse_times(column: pd.Series, config: SeriesDataConfig, path: Path | str, place: Place) -> pd.DatetimeIndex:
    """Reads a column of timestamps.

    Args:
        column: text, numbers or times.
        config: format and column name.
        path: the file, for errors.
        place: names a row, for errors.

    Returns:
        Times in UTC, with a time zone, or without one where the column names none.

    Raises:
        DataError: a timestamp is missing or none; with its line.
    """
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        raise DataError(
            path,
            f"{place(int(missing[0]))}, column {column.name!r}: the timestamp is missing",
            "fill it or drop the row",
        )
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        index = pd.DatetimeIndex(column)
        return _nanoseconds(index if index.tz is None else index.tz_convert("UTC"), column, path, place)
    unit = config.time_format if config.time_format in EPOCHS else ""
    if not unit and not config.time_format:
        unit = unix_unit(pd.to_numeric(column.iloc[:SAMPLE_ROWS], errors="coerce").to_numpy(np.float64))
    if unit:
        return _epochs(column, unit, path, place)
    texts = as_texts(column)
    aware = _names_offset(texts.iloc[:1])
    if aware.any() and not _names_offset(texts).all():
        raise _unreadable(texts, config, path, place)
    try:
        index = pd.DatetimeIndex(_read(texts, config, utc=bool(aware.any())))
    except (ValueError, OverflowError, TypeError):
        raise _unreadable(texts, config, path, place) from None
    if index.hasnans:
        raise _unreadable(texts, config, path, place)
    return _nanoseconds(index if index.tz is None else index.tz_convert("UTC"), texts, path, place)


def _read(texts: pd.Series, config: SeriesDataConfig, *, utc: bool) -> pd.Series:
    """Times of texts, NaT where they are none."""
    return read_format(texts, config.time_format) if config.time_format else read_iso(texts, utc=utc)


def localise(index: pd.DatetimeIndex, timezone: str, path: Path | str, place: Place, *, once: str = "refuse") -> Array:
    """Local or UTC times of one series in their order -> UTC, datetime64[ns].

    Where clocks go back, the hour that comes twice must be in the file twice, in order, or the times name an offset.

    Args:
        index: the times.
        timezone: whose clocks they are of.
        path: the file, for errors.
        place: names a row, for errors.
        once: what an hour is that clocks show twice, but the file has once: the first, the second, or refuse.

    Raises:
        DataError: a local time does not exist, or could be either of two.
    """
    if index.tz is not None:
        return np.asarray(index.tz_localize(None))
    if timezone == "UTC":
        return np.asarray(index)
    offsets = "write times with their offset from UTC"
    as_it_is = f"or give --data.timezone UTC instead of {timezone}, which takes the clock as it is"
    absent = np.flatnonzero(index.tz_localize(timezone, nonexistent="NaT", ambiguous=np.ones(len(index), bool)).isna())
    if len(absent):
        row = int(absent[0])
        problem = f"{place(row)}: {index[row]} does not exist in {timezone}, where clocks went forward"
        raise DataError(path, problem, f"{offsets}, {as_it_is}")
    if once != "refuse":
        first = np.where(index.duplicated(keep=False), ~index.duplicated(), once == "first")
        return np.asarray(index.tz_localize(timezone, ambiguous=first).tz_convert("UTC").tz_localize(None))
    try:
        local = index.tz_localize(timezone, ambiguous="infer")
    except ValueError:
        unclear = np.flatnonzero(index.tz_localize(timezone, ambiguous="NaT").isna())
        row = int(unclear[0]) if len(unclear) else 0
        problem = f"{place(row)}: {index[row]} comes twice in {timezone}, where clocks went back"
        choice = (
            "give --data.autumn_hour first or second, with --data.irregular regularise for the other one to be missing"
        )
        raise DataError(path, problem, f"{offsets}, {choice}, {as_it_is}") from None
    return np.asarray(local.tz_convert("UTC").tz_localize(None))


def to_local(utc: Array, timezone: str) -> Array:
    """UTC times as the clocks and calendars of a time zone show them; datetime64[ns] both."""
    if timezone == "UTC":
        return utc
    return np.asarray(pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(timezone).tz_localize(None).as_unit("ns"))


def _epochs(column: pd.Series, unit: str, path: Path | str, place: Place) -> pd.DatetimeIndex:
    """Numbers of seconds (or parts of them) since 1970 -> UTC."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = np.flatnonzero(numbers.isna().to_numpy())
    parsed = pd.to_datetime(numbers, unit=EPOCHS[unit], utc=True, errors="coerce")
    if numbers.dtype.kind == "f":  # of 64 bits, which hold seconds of this century to a quarter of a microsecond
        parsed = parsed.dt.round("us")
    wrong = wrong if len(wrong) else np.flatnonzero(parsed.isna().to_numpy())
    if len(wrong):
        row = int(wrong[0])
        problem = f"{place(row)}, column {column.name!r}: {str(column.iloc[row])!r} is no time in {unit}"
        raise DataError(path, problem, "check --data.time_format")
    return _nanoseconds(pd.DatetimeIndex(parsed), column, path, place)


def _names_offset(texts: pd.Series) -> pd.Series:
    """Whether each time names an offset from UTC, which may then differ from row to row."""
    return texts.str.strip().str.contains(_OFFSET)


def _nanoseconds(index: pd.DatetimeIndex, column: pd.Series, path: Path | str, place: Place) -> pd.DatetimeIndex:
    """The times in nanoseconds, which reach from 1678 to 2261."""
    naive = index.tz_localize(None) if index.tz is not None else index
    years = naive.year.to_numpy()
    outside = np.flatnonzero((years < 1678) | (years > 2261))
    if len(outside):
        row = int(outside[0])
        problem = (
            f"{place(row)}, column {column.name!r}: {str(column.iloc[row])!r} lies outside of the years 1678 to 2261"
        )
        raise DataError(path, problem, "correct or drop the row")
    return index.as_unit("ns")


def _unreadable(texts: pd.Series, config: SeriesDataConfig, path: Path | str, place: Place) -> DataError:
    """What to tell of the first text that is no time."""
    aware = _names_offset(texts)
    if aware.any() and not aware.all():
        row = int(np.flatnonzero((aware != aware.iloc[0]).to_numpy())[0])
        problem = f"{place(row)}, column {texts.name!r}: {texts.iloc[row]!r} "
        problem += (
            "names an offset from UTC, others do not" if aware.iloc[row] else "names no offset from UTC, others do"
        )
        return DataError(path, problem, "write all times in one way")
    parsed = _read(texts, config, utc=True)
    wrong = np.flatnonzero(parsed.isna().to_numpy())
    row = int(wrong[0]) if len(wrong) else 0
    expected = f"in the format {config.time_format}" if config.time_format else "in ISO 8601, such as 2024-06-30 14:00"
    problem = f"{place(row)}, column {texts.name!r}: {texts.iloc[row]!r} is no time {expected}"
    return DataError(path, problem, _format_hint(texts, texts.iloc[row]))


def _format_hint(texts: pd.Series, wrong: str) -> str:
    """A format that fits the first texts, as a remedy; of several, what the first text means in each."""
    if re.fullmatch(r"\d{9,11}(\.\d+)?|\d{13}", wrong):
        return f"give --data.time_format {'unix_ms' if len(wrong) == 13 else 'unix_s'}"
    sample = texts.iloc[:1000]
    fitting = fitting_formats(sample)
    if len(fitting) == 1:
        return f"give --data.time_format '{fitting[0]}'"
    if fitting:
        told = f"which {'both' if len(fitting) == 2 else 'all'} fit"
        readings = f"{texts.iloc[0]!r} is {shown_readings(texts.iloc[0], fitting)}"
        return f"give --data.time_format, one of {', '.join(map(repr, fitting))}, {told}: {readings}"
    if zone := zone_problem(wrong):
        return f"{zone}: write times with their offset from UTC, such as -06:00"
    return "correct the row, give --data.time_format, or --data.time none for rows without time"
