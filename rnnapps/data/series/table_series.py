"""A table's rows as series: grouped, brought into the order of time, and checked for regular times."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rnnapps.data.series.clock_columns import digits_format, unix_unit
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import parse_frequency
from rnnapps.data.series.regular import merge_duplicates, regular_rows
from rnnapps.data.series.series import Series
from rnnapps.data.series.table_frame import Table
from rnnapps.data.series.time_formats import fitting_formats, only_format
from rnnapps.data.series.time_texts import EXCEL, as_texts
from rnnapps.data.series.timestamps import SAMPLE_ROWS, localise, parse_times
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = [
    "found_rules",
    "series_notes",
    "table_columns",
    "table_groups",
    "table_series",
    "timed",
    "with_format",
]

_ISO = re.compile(r"\d{4}-\d\d(-\d\d)?($|[T ]\d\d:)(?!.*[A-Za-z]{2})|\d{8}T")
"""How times of ISO 8601 begin, but for dates of digits alone; without am or pm."""
_NUMBER = re.compile(r"\d+(\.\d*)?")

AT_ONCE = 1 << 20
"""Rows that are looked at together."""


def table_series(
    table: Table, config: SeriesDataConfig, *, name: str, known: Mapping[str, str] | None = None
) -> list[Series]:
    """The series of a table, in the order of their first rows.

    Args:
        table: the rows.
        config: what to do with irregular times and duplicates.
        name: name of the only series, where no column names one.
        known: how the cells of the training data were written, see `Series.rules`.

    Raises:
        DataError: times are missing, repeated or irregular and the configuration refuses that; with the line.
    """
    roles, frame = table.roles, table.frame
    names, members = table_groups(table, name)
    config, told = with_format(table, config, known or {})
    times = parse_times(frame[roles.time], config, table.path, table.place) if roles.time else None
    columns = table_columns(table)
    levels = columns.pop("category_levels")
    shared = {
        "channels": roles.channels,
        "known_names": roles.known,
        "category_names": roles.categorical,
        "category_levels": levels,
        "static_names": roles.static_numbers,
        "static_text_names": roles.static_texts,
        "timezone": config.timezone,
        "source": str(table.path),
        "rules": found_rules(table, config),
    }
    all_series = []
    for series_name, rows in zip(names, members, strict=True):
        own = {key: column if rows is None else column[rows] for key, column in columns.items()}
        static = _static(table, series_name, rows)
        series = Series(series_name, None, **own, **shared, **static, notes=(*roles.notes, *told))
        all_series.append(series if times is None else timed(table, config, series, times=times, members=rows))
    return [dataclasses.replace(series, notes=(*series.notes, *series_notes(series))) for series in all_series]


def with_format(
    table: Table, config: SeriesDataConfig, known: Mapping[str, str]
) -> tuple[SeriesDataConfig, tuple[str, ...]]:
    """The configuration that names the format of times which are not ISO 8601, and what to tell of it."""
    column = table.frame[table.roles.time] if table.roles.time else pd.Series(dtype=object)
    if config.time_format or not len(column) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return config, ()
    form = _format_of(column.dropna(), known.get("time_format", ""))
    if not form:
        return config, ()
    example = str(column.iloc[0]).strip()
    told = f"times of column {table.roles.time!r}, such as {example!r}, are read as {form} (--data.time_format)"
    return dataclasses.replace(config, time_format=form), (told,)


def _format_of(column: pd.Series, before: str) -> str:
    """The format of times; "" for ISO 8601, Unix times, and what is unknown.

    Args:
        column: without missing cells.
        before: that of the training data.
    """
    if not len(column) or _ISO.match(str(column.iloc[0]).strip()):
        return ""
    texts = as_texts(column)
    if _ISO.match(texts.iloc[0]):
        return ""
    if _NUMBER.fullmatch(texts.iloc[0]):
        numbers = pd.to_numeric(texts.iloc[:SAMPLE_ROWS], errors="coerce").to_numpy(np.float64)
        if unix_unit(numbers):
            return ""
        form = before if before and fitting_formats(texts, [before]) else digits_format(numbers, str(column.name))
        return "" if form == "%Y%m%d" else form  # which is ISO 8601 too
    fits = ("%" in before or before == EXCEL) and fitting_formats(texts, [before])
    return before if fits else only_format(texts)


def found_rules(table: Table, config: SeriesDataConfig) -> dict[str, str]:
    """How the cells of a table were found to be written, see `Series.rules`."""
    found = {"time": table.roles.time, "series": table.roles.series, "time_format": _time_format(table, config)}
    return {**table.rules, **found}


def _time_format(table: Table, config: SeriesDataConfig) -> str:
    """The format of the times: as configured or found, the unit of Unix times, or "" for ISO 8601."""
    if config.time_format or not table.roles.time:
        return config.time_format
    column = table.frame[table.roles.time]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return ""
    return unix_unit(pd.to_numeric(column.iloc[:SAMPLE_ROWS], errors="coerce").to_numpy(np.float64))


def table_groups(table: Table, name: str) -> tuple[list[str], list[Array | None]]:
    """Names of the series, and the rows of each in the order of the file; None for all rows."""
    if not table.roles.series:
        return [name], [None]
    column = table.frame[table.roles.series]
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        where = f"{table.place(int(missing[0]))}, column {column.name!r}"
        raise DataError(table.path, f"{where}: the name of the series is missing", "fill it or drop the row")
    codes, names = pd.factorize(column)
    order = np.argsort(codes, kind="stable")
    members: list[Array | None] = list(np.split(order, np.cumsum(np.bincount(codes))[:-1]))
    return [str(label) for label in names], members


def table_columns(table: Table) -> dict[str, Any]:
    """The tables of a series, for all rows of the file."""
    roles, frame = table.roles, table.frame
    coded = [pd.factorize(frame[name], sort=True) for name in roles.categorical]
    codes = [code.astype(np.int32) for code, _ in coded]
    columns = {
        "values": frame[list(roles.channels)].to_numpy(np.float64),
        "known": frame[list(roles.known)].to_numpy(np.float64),
        "categories": np.stack(codes, axis=1) if codes else np.zeros((len(frame), 0), np.int32),
        "category_levels": tuple(tuple(map(str, levels)) for _, levels in coded),
    }
    if roles.label:
        numbers = frame[roles.label].to_numpy()
        whole = np.isnan(numbers) | (numbers == np.round(numbers))
        if not whole.all():
            row = int(np.flatnonzero(~whole)[0])
            where = f"{table.place(row)}, column {roles.label!r}"
            raise DataError(table.path, f"{where}: the label {numbers[row]} is no whole number", "use 0, 1, 2...")
        columns["labels"] = np.where(np.isnan(numbers), -1, numbers).astype(np.int32)
    return columns


def _static(table: Table, name: str, rows: Array | None) -> dict[str, Any]:
    """Static features of one series, which must be constant in its rows."""
    values: dict[str, str | float] = {}
    for column in (*table.roles.static_numbers, *table.roles.static_texts):
        cells = table.frame[column] if rows is None else table.frame[column].iloc[rows]
        different = cells.dropna().unique()
        if len(different) != 1:
            problem = f"series {name!r}, column {column!r}: expected one value, found {len(different)}"
            raise DataError(
                table.path, problem, "a static feature is the same in all rows of a series; use --data.known"
            )
        values[column] = different[0]
    numbers = [values[column] for column in table.roles.static_numbers]
    texts = tuple(str(values[column]) for column in table.roles.static_texts)
    return {"static": np.array(numbers, np.float64), "static_texts": texts}


def timed(
    table: Table, config: SeriesDataConfig, series: Series, *, times: pd.DatetimeIndex, members: Array | None
) -> Series:
    """The series with its times: in order, without duplicates, regular."""
    rows: Array = np.arange(len(times)) if members is None else members

    def place(row: int) -> str:
        return table.place(int(rows[row]))

    utc = localise(times[rows], config.timezone, table.path, place, once=config.autumn_hour)
    notes: tuple[str, ...] = ()
    if (np.diff(utc).astype(np.int64) < 0).any():
        order = np.argsort(utc, kind="stable")
        utc, rows, series, notes = utc[order], rows[order], _take(series, order), ("rows were sorted by time",)
    series = dataclasses.replace(series, times=utc, notes=(*series.notes, *notes))
    if config.duplicates == "keep":
        return series
    series, kept = merge_duplicates(series, config.duplicates, path=table.path, place=place, keys=table.roles.keys)
    rows = rows[kept]
    if config.irregular == "keep":
        return series
    wanted = parse_frequency(config.frequency) if config.frequency else None
    series = regular_rows(
        series,
        wanted,
        regularise=config.irregular == "regularise",
        absent=0.0 if config.absent_rows == "zero" else np.nan,
        path=table.path,
        place=place,
    )
    if series.frequency is None:
        return series
    return dataclasses.replace(series, rules={**series.rules, "frequency": str(series.frequency)})


def _take(series: Series, order: Array) -> Series:
    """The series with its rows in another order."""
    tables = {name: getattr(series, name) for name in ("values", "known", "categories", "labels")}
    return dataclasses.replace(series, **{name: column[order] for name, column in tables.items() if column is not None})


def series_notes(series: Series) -> list[str]:
    """What a person should know of a series before learning from it."""
    notes = []
    missing, constant = _missing_and_constant(series.values)
    for name, count in zip(series.channels, missing.tolist(), strict=True):
        if count:
            share = count / max(len(series), 1)
            notes.append(f"channel {name!r}: {count:,} of {len(series):,} values are missing ({share:.1%})")
    notes += [f"channel {name!r} is constant" for name, same in zip(series.channels, constant, strict=True) if same]
    if series.times is not None and len(series):
        later = len(series) - int(np.searchsorted(series.times, np.datetime64("now", "ns"), side="right"))
        notes += [f"{later:,} rows lie in the future, the last at {series.times[-1]} UTC"] if later else []
    return notes


def _missing_and_constant(values: Array) -> tuple[Array, list[bool]]:
    """Missing values of each channel, and whether it has several and all are the same; some rows after the others."""
    missing, present = np.zeros(values.shape[1], np.int64), [np.zeros(0)] * values.shape[1]
    for start in range(0, len(values), AT_ONCE):
        rows = values[start : start + AT_ONCE]
        absent = np.isnan(rows)
        missing += absent.sum(axis=0)
        for channel, known in enumerate(present):
            if len(known) < 2:
                present[channel] = np.unique(np.concatenate([known, rows[~absent[:, channel], channel]]))[:2]
    constant = [len(known) == 1 and count < len(values) - 1 for known, count in zip(present, missing, strict=True)]
    return missing, constant
