"""The time of one row after another, read as the times of a table are."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from rnnapps.data.series.clock_columns import UNITS, unix_unit
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.timestamps import localise, parse_times
from rnnapps.errors import DataError

__all__ = ["RowClock"]

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?")
_NUMBER = re.compile(r"\d{9,19}(\.\d*)?")
_PLAIN_DIRECTIVES = re.compile(r"(%[YmdHMSpI]|[^%])+")
"""Formats that Python's strptime reads as pandas does, a thousand times as fast for a single time."""


class RowClock:
    """Reads times.

    Args:
        rules: format and time zone.
        source: what the rows come from, for errors.
    """

    def __init__(self, rules: RowRules, source: str) -> None:
        self.rules, self.source, self.timezone = rules, source, rules.config.timezone

    def read(self, cell: str, where: str, before: np.datetime64 | None) -> np.datetime64:
        """The UTC time of a cell, datetime64[ns].

        Args:
            cell: the cell.
            where: the row, for errors.
            before: the UTC time of the row before it. Of an hour that clocks show twice, it decides which one is meant:
                the first that lies behind it.

        Raises:
            DataError: the cell is no time, or one that clocks did not show.
        """
        if not cell:
            raise DataError(self.source, f"{where}: the timestamp is missing", "fill it or drop the row")
        utc, local = self._quickly(cell)
        if utc is not None:
            return utc
        index = pd.DatetimeIndex([local]) if local is not None else self._parsed(cell, where)
        return self.to_utc(index, where, before)

    def _quickly(self, cell: str) -> tuple[np.datetime64 | None, np.datetime64 | None]:
        """The UTC time or the local time of a cell in a usual form, without pandas, which takes a millisecond."""
        form, local = self.rules.time_format, None
        unit = form if form in UNITS else ""
        if not form and _NUMBER.fullmatch(cell):
            unit = unix_unit(np.array([float(cell)]))
        if unit and _NUMBER.fullmatch(cell):
            return _unix_time(cell, unit), None
        if _ISO.fullmatch(cell) and not self.rules.config.time_format:
            local = _or_none(lambda: np.datetime64(cell.replace(" ", "T"), "ns"))
        elif form and not unit and _PLAIN_DIRECTIVES.fullmatch(form):
            local = _or_none(lambda: np.datetime64(datetime.datetime.strptime(cell, form), "ns"))
        if local is not None and not 1678 <= int(local.astype("datetime64[Y]").astype(int)) + 1970 <= 2261:
            local = None
        return (local, None) if local is not None and self.timezone == "UTC" else (None, local)

    def _parsed(self, cell: str, where: str) -> pd.DatetimeIndex:
        """As a column of a table is parsed; times of ISO 8601 also where the training data had another format."""
        config, column = self.rules.config, pd.Series([cell], dtype=object, name=self.rules.known.get("time") or "time")
        found = self.rules.known.get("time_format", "")
        if found and not config.time_format and not _ISO.match(cell):
            config = dataclasses.replace(config, time_format=found)
        return parse_times(column, config, self.source, lambda _: where)

    def to_utc(self, index: pd.DatetimeIndex, where: str, before: np.datetime64 | None) -> np.datetime64:
        """One local time, or one with an offset, in UTC; see `read`."""
        if index.tz is None and self.timezone != "UTC":
            first, second = (
                index.tz_localize(self.timezone, nonexistent="NaT", ambiguous=np.array([summer]))
                .tz_convert("UTC")
                .tz_localize(None)
                .to_numpy("datetime64[ns]")[0]
                for summer in (True, False)
            )
            if not np.isnat(first) and first != second:
                chosen: np.datetime64 = second if before is not None and first <= before else first
                return chosen
        time: np.datetime64 = localise(index, self.timezone, self.source, lambda _: where)[0]
        return time


def _unix_time(cell: str, unit: str) -> np.datetime64:
    """Whole numbers exactly, others to the microsecond, as a table's are."""
    if cell.isdigit():
        return np.datetime64(int(cell) * (10**9 // UNITS[unit]), "ns")
    time: np.datetime64 = np.datetime64(round(float(cell) * (10**6 / UNITS[unit])), "us").astype("datetime64[ns]")
    return time


def _or_none(read: Callable[[], np.datetime64]) -> np.datetime64 | None:
    """What a function reads; None where it cannot."""
    try:
        return read()
    except ValueError:
        return None
