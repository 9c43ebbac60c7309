"""The archive of Monash, M4 among it: `.tsf` files, a series a line."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import numpy as np

from rnnapps.data.series.frequency import Frequency, parse_frequency
from rnnapps.data.tables.headed import HeadedFile, names_of_head, number_of, read_headed
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader
from rnnapps.data.tables.stacked import FileSeries, grid_times, stacked, to_frequency, value_places
from rnnapps.errors import DataError

__all__ = ["MonashReader"]

CHANNEL = "value"
_START = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d)-(\d\d)-(\d\d)")


class MonashReader(TableReader):
    """`.tsf` files."""

    title, suffixes = "a .tsf file of Monash's archive", (".tsf",)

    def recognises(self, head: bytes) -> bool:
        """Whether it names attributes and a frequency before its rows."""
        return {"attribute", "frequency"} <= names_of_head(head)

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file."""
        file = read_headed(path)
        attributes = [value.partition(" ") for own, value in file.head if own == "attribute"]
        dates = [place for place, (_, _, kind) in enumerate(attributes) if kind.strip().lower() == "date"]
        frequency = _frequency(path, file, options) if dates and options.timed else None
        names, start = [name for name, _, _ in attributes], dates[0] if dates else None
        series = [_read(path, row, names, start=start, frequency=frequency) for row in file.rows]
        horizon = file.value("horizon")
        told = [f"the file names a horizon: --model.horizon_steps {horizon}"] if horizon.isdecimal() else []
        return stacked(path, series, [CHANNEL], notes=told)


def _frequency(path: Path, file: HeadedFile, options: TableOptions) -> Frequency:
    """The frequency that a setting names, or the file."""
    if options.frequency:
        return parse_frequency(options.frequency)
    if not file.value("frequency"):
        raise DataError(path, "names no @frequency", "give --data.frequency, such as 1h, or --data.time none")
    return to_frequency(file.value("frequency"), path, "@frequency")


def _read(
    path: Path, row: tuple[int, str], names: list[str], *, start: int | None, frequency: Frequency | None
) -> FileSeries:
    """The series of a line: its attributes, and its values behind the last colon."""
    line, text = row
    *cells, listed = text.split(":")
    if len(cells) != len(names):
        problem = f"line {line}: {len(cells)} attributes, but the head names {len(names)}"
        raise DataError(path, problem, "separate them and the values by colons")
    values = np.array([number_of(path, line, cell) for cell in listed.split(",")], np.float64)
    times = None
    if start is not None and frequency is not None:
        times = grid_times(_start(path, line, cells[start]), len(values), frequency, path=path, where=f"line {line}")
    facts = {name: cell for place, (name, cell) in enumerate(zip(names, cells, strict=True)) if place not in (0, start)}
    facts.pop(CHANNEL, None)
    name = cells[0] if cells and start != 0 else f"line {line}"
    return FileSeries(name, values[:, None], times, value_places(f"line {line}"), facts)


def _start(path: Path, line: int, text: str) -> datetime.datetime:
    """The time of the first value."""
    found = _START.fullmatch(text.strip())
    try:
        if found:
            return datetime.datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]
    except ValueError:
        pass
    raise DataError(path, f"line {line}: {text[:60]!r} is no time", "write it as 2024-06-30 14-00-00")
