"""What the columns of a table are for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.errors import DataError

__all__ = ["JOIN", "NO_TIME", "SERIES_NAMES", "TIME_NAMES", "Roles", "asked_columns", "assign_roles", "column_parts"]

TIME_NAMES = ("time", "timestamp", "date", "datetime", "ds")
SERIES_NAMES = ("series_id", "series", "unique_id")
NO_TIME = "none"
JOIN = "+"
"""Between the names of columns that say one thing together."""


@dataclass(frozen=True)
class Roles:
    """Columns by what they are for.

    Attributes:
        time: column of timestamps; empty for none.
        series: column that names the series; empty for none.
        channels: columns of measured numbers.
        known: numbers known ahead of time.
        categorical: texts or codes known ahead of time.
        static_numbers: numbers constant within a series.
        static_texts: texts constant within a series.
        label: column of labels; empty for none.
        notes: what was decided without being told, for people.
        keys: columns that may name the series, where several rows have one time.
    """

    time: str
    series: str
    channels: tuple[str, ...]
    known: tuple[str, ...]
    categorical: tuple[str, ...]
    static_numbers: tuple[str, ...]
    static_texts: tuple[str, ...]
    label: str
    notes: tuple[str, ...]
    keys: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """All columns that hold numbers."""
        return (*self.channels, *self.known, *self.static_numbers, *((self.label,) if self.label else ()))

    @property
    def texts(self) -> tuple[str, ...]:
        """All columns that hold text, but for the time."""
        return (*self.categorical, *self.static_texts, *((self.series,) if self.series else ()))


def assign_roles(
    path: Path | str,
    names: Sequence[str],
    *,
    texts: Mapping[str, str],
    times: Sequence[str],
    doubts: Mapping[str, str],
    config: SeriesDataConfig,
    keys: str = "",
) -> Roles:
    """Gives every needed column its role.

    Args:
        path: the file, for errors.
        names: all columns.
        texts: columns that hold text, with the place and content of the first one: "line 2: 'Berlin'".
        times: columns that hold timestamps, of text or of numbers.
        doubts: columns of numbers that may be timestamps, and what to tell of them.
        config: what the user says of the columns, see `with_named_columns`.
        keys: columns that may name the series, as `--data.series` takes them.

    Raises:
        DataError: a column of text has no role, or no channel is left.
    """
    asked = asked_columns(config, names)
    free = [name for name in names if name not in asked]
    time, notes = _time(config, free, times)
    series = config.series or next((name for name in free if name.lower() in SERIES_NAMES), "")
    notes += [f"column {series!r} is read as the names of series"] if series and not config.series else []
    others = [name for name in free if name not in (time, series)]
    channels = config.channels or tuple(others)
    _require_numbers(path, (*channels, *config.known, *((config.label,) if config.label else ())), texts, keys)
    if not time and config.time != NO_TIME:
        notes += [f"column {name!r} {doubts[name]}" for name in channels if name in doubts]
    if not channels:
        raise DataError(path, "has no column of numbers to learn", "name one with --data.channels")
    return Roles(
        time=time,
        series=series,
        channels=channels,
        known=config.known,
        categorical=config.categorical,
        static_numbers=tuple(name for name in config.static if name not in texts),
        static_texts=tuple(name for name in config.static if name in texts),
        label=config.label,
        notes=tuple(notes),
        keys="" if series else keys,
    )


def column_parts(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """The columns that a name stands for: itself, or, where there is none of this name, those joined by a plus."""
    return (name,) if name in names else tuple(part.strip() for part in name.split(JOIN))


def asked_columns(config: SeriesDataConfig, names: Sequence[str]) -> set[str]:
    """All columns that settings name, those that are joined among them.

    Args:
        config: what the user says of the columns.
        names: all columns.
    """
    together = (part for name in (config.time, config.series) if name for part in column_parts(name, names))
    return {*together, config.label, *config.channels, *config.known, *config.categorical, *config.static}


def _require_numbers(path: Path | str, names: Sequence[str], texts: Mapping[str, str], keys: str) -> None:
    """Raises DataError for the first of the named columns that holds text."""
    for name in names:
        if name in texts:
            remedy = "correct the cell, or choose columns of numbers with --data.channels"
            remedy += " (--data.categorical and --data.static take text)"
            if name in keys.split(JOIN):
                remedy = f"if it names the series: --data.series {shlex.quote(keys)}; else {remedy}"
            raise DataError(path, f"column {name!r} holds text: {texts[name]}", remedy)


def _time(config: SeriesDataConfig, free: Sequence[str], times: Sequence[str]) -> tuple[str, list[str]]:
    """The column of times, or "", and what a person should know of the choice."""
    if config.time:
        return ("", []) if config.time == NO_TIME else (config.time, [])
    named = [name for name in free if name.lower() in TIME_NAMES]
    if named:
        return named[0], []
    readable = [name for name in times if name in free]
    if readable:
        return readable[0], [f"column {readable[0]!r} is read as the time"]
    return "", ["no column of timestamps: rows are read as equally spaced steps"]
