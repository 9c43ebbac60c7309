"""Rows of several series in time: which is the next one, which comes late or twice, and what is missing before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rnnapps.data.series.grid import from_local
from rnnapps.data.series.recent import Recent
from rnnapps.data.series.row_counts import RowCounts
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.timestamps import to_local
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["RowSchedule"]

NO_TIMES = np.zeros(0, "datetime64[ns]")


class RowSchedule:
    """The time of the last row of each series.

    Args:
        rules: distance of the rows, and the calendar.
        options: what to do with rows that are not as they should be.
        counts: is told what became of them.
        before: series -> Unix time of its last row in nanoseconds, of an earlier run.
    """

    def __init__(
        self, rules: RowRules, options: RowOptions, counts: RowCounts, before: Mapping[str, int] | None = None
    ) -> None:
        self.rules, self.options, self.counts = rules, options, counts
        self.last: Recent[np.datetime64] = Recent(options.most_series)
        for name, time in (before or {}).items():
            self.last.put(name, np.datetime64(time, "ns"))

    def before(self, series: str) -> np.datetime64 | None:
        """The UTC time of the last row of a series."""
        return self.last.get(series)

    def place(self, series: str, time: np.datetime64, where: str) -> Array | None:
        """Takes a row.

        Args:
            series: its series.
            time: its UTC time, datetime64[ns].
            where: the row, for people.

        Returns:
            UTC times of the missing rows before it, of many the last ones, datetime64[ns] `(rows,)`; None where the row
            is to be left out.

        Raises:
            DataError: the row is not the next one, and that is to stop the stream.
        """
        last = self.last.get(series)
        if last is None:
            self.last.put(series, time)
            return NO_TIMES
        steps = self._steps(last, time)
        if steps < 1 and self.options.late_rows != "keep":
            repeated = abs(int((time - last).astype(np.int64))) <= self._tolerance
            told = f"{where}: {time} UTC {'repeats' if repeated else 'comes after'} {last} UTC{_of(series)}"
            self._refuse(self.options.late_rows, "repeated" if repeated else "late", told)
            return None
        missing = self._missing(steps, last, lambda: f"{where}: {time} UTC follows {last} UTC{_of(series)}")
        self.last.put(series, max(time, last))
        return missing

    def _missing(self, steps: int, last: np.datetime64, told: Callable[[], str]) -> Array:
        """UTC times of the rows between the last one and one so many steps behind it."""
        frequency = self.rules.frequency
        if steps <= 1 or frequency is None or self.options.missing_rows == "ignore":
            return NO_TIMES
        text = f"{told()}, {steps - 1:,} rows of {frequency} are missing"
        self._refuse(self.options.missing_rows, "missing", text, count=steps - 1)
        places = np.arange(max(steps - self.rules.longest_gap, 1), steps)
        if frequency.unit == "nanosecond":
            return frequency.times(places, last)
        timezone = self.rules.config.timezone
        return from_local(frequency.times(places, to_local(np.array([last]), timezone)[0]), timezone)

    def _steps(self, last: np.datetime64, time: np.datetime64) -> int:
        """Rows from one time to another, to the nearest; below 1 where it is not behind it."""
        frequency, distance = self.rules.frequency, int((time - last).astype(np.int64))
        if frequency is None:
            return 1 if distance > 0 or (distance == 0 and self.rules.config.duplicates == "keep") else 0
        if frequency.unit == "nanosecond":
            return (distance + frequency.count // 2) // frequency.count
        first, second = to_local(np.array([last, time], "datetime64[ns]"), self.rules.config.timezone)
        return int(frequency.places(np.array([second]), first)[0])

    @property
    def _tolerance(self) -> int:
        """How far apart, in nanoseconds, two rows of one time may lie."""
        return self.rules.frequency.nanoseconds // 2 if self.rules.frequency else 0

    def _refuse(self, policy: str, kind: str, told: str, *, count: int = 1) -> None:
        """Counts what is not as it should be, or stops the stream."""
        if policy == "stop":
            option = {"missing": "missing_rows"}.get(kind, "late_rows")
            raise DataError(self.counts.source, told, f"correct the rows, or choose another --{option}")
        self.counts.note(kind, f"{self.counts.source}: {told}", count=count)


def _of(series: str) -> str:
    """What to say of the series of a row."""
    return f" in series {series!r}" if series else ""
