"""Data sets of GluonTS: a JSON object a line, with `start` and `target`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnapps.data.number_cells import read_number
from rnnapps.data.series.frequency import parse_frequency
from rnnapps.data.tables.json_values import json_lines, json_value
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, read_text
from rnnapps.data.tables.stacked import FileSeries, grid_times, stacked, to_frequency, value_places
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["GluonTsReader"]

CHANNEL = "target"
METADATA = ("metadata.json", "../metadata.json", "../metadata/metadata.json")
"""Where a data set says its frequency, seen from a file of it."""
_BEGIN = re.compile(rb'\s*\{(?=[^\n]*"start"\s*:)(?=[^\n]*"target"\s*:\s*\[)')


class GluonTsReader(TableReader):
    """Lines such as {"start": "2024-01-01 00:00", "target": [1.5, 2.5], "item_id": "a"}."""

    title = "a data set of GluonTS"

    def recognises(self, head: bytes) -> bool:
        """Whether the first line is an object with `start` and a list `target`, or the beginning of one."""
        return _BEGIN.match(head) is not None

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file."""
        alias = options.frequency and str(parse_frequency(options.frequency))
        alias = alias or next(_named_frequencies(path), "")
        series = [
            _read(path, number, entry, alias, timed=options.timed)
            for number, entry in json_lines(path, read_text(path))
        ]
        widths = {each.values.shape[1] for each in series}
        if len(widths) > 1:
            raise DataError(path, f"holds series of {min(widths)} and of {max(widths)} channels", "keep them apart")
        (width,) = widths
        names = [CHANNEL] if width == 1 else [f"{CHANNEL}_{number}" for number in range(width)]
        return stacked(path, series, names)


def _named_frequencies(path: Path) -> Iterator[str]:
    """The frequencies that files beside it name."""
    for name in METADATA:
        beside = path.parent / name
        if beside.is_file():
            content = json_value(beside, read_text(beside))
            named = content.get("freq") if isinstance(content, dict) else None
            if isinstance(named, str):
                yield named


def _read(path: Path, line: int, entry: Mapping[str, Any], alias: str, *, timed: bool) -> FileSeries:
    """The series of a line."""
    where = f"line {line}"
    values = _matrix(path, where, "target", entry.get("target"))
    times = None
    if timed:
        start = pd.to_datetime(str(entry.get("start", "")), format="ISO8601", errors="coerce")
        named = str(entry.get("freq") or alias)
        if start is pd.NaT:
            raise DataError(path, f"{where}: {entry.get('start')!r} is no time", "write it as 2024-06-30 14:00")
        if not named:
            problem = f"{where}: nothing says how far the values of `target` lie apart"
            raise DataError(path, problem, "give --data.frequency, such as 1h")
        start = start.tz_convert("UTC").tz_localize(None) if start.tz else start
        times = grid_times(start.to_pydatetime(), len(values), to_frequency(named, path, where), path=path, where=where)
    facts = _statics(entry)
    covariates = entry.get("feat_dynamic_real")
    columns: dict[str, list[object]] = {}
    if covariates:
        known = _matrix(path, where, "feat_dynamic_real", covariates)
        if len(known) < len(values):
            problem = f"{where}: feat_dynamic_real has {len(known):,} values a row, target {len(values):,}"
            raise DataError(path, problem, "correct the line")
        columns = {f"feat_dynamic_real_{n}": known[: len(values), n].tolist() for n in range(known.shape[1])}
    name = str(entry.get("item_id", line))
    return FileSeries(name, values, times, value_places(where), facts, columns)


def _statics(entry: Mapping[str, Any]) -> dict[str, object]:
    """Features of a whole series, a column each."""
    found: dict[str, object] = {}
    for name in ("feat_static_cat", "feat_static_real"):
        listed = entry.get(name)
        if isinstance(listed, list):
            found |= {f"{name}_{number}": value for number, value in enumerate(listed) if not isinstance(value, list)}
    return found


def _matrix(path: Path, where: str, name: str, listed: Any) -> Array:
    """Numbers `(rows, channels)` of a list, or of a list for each channel."""
    lists = listed if isinstance(listed, list) and listed and all(isinstance(one, list) for one in listed) else [listed]
    if not all(isinstance(one, list) for one in lists) or len(set(map(len, lists))) != 1:
        raise DataError(path, f"{where}: {name} is no list of numbers", "write [1.5, 2.5], null where missing")
    table = np.empty((len(lists[0]), len(lists)))
    for channel, one in enumerate(lists):
        for row, value in enumerate(one):
            number = float(value) if isinstance(value, int | float) else read_number(str(value or ""), ".")
            if number is None or isinstance(value, bool):
                problem = f"{where}, value {row + 1} of {name}: {str(value)[:60]!r} is no number"
                raise DataError(path, problem, "correct it, or write null where it is missing")
            table[row, channel] = number
    return table
