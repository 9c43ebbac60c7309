"""The distance of a series's rows: an exact duration, or a number of days, business days, months or their ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnnapps.errors import ConfigError
from rnnapps.types import Array

__all__ = ["DAY", "ROUND", "Frequency", "parse_frequency"]

Unit = Literal["nanosecond", "day", "business_day", "month", "month_end", "business_month_end"]
SECOND = 10**9
DAY = 86_400 * SECOND
_UNITS: dict[str, tuple[int, Unit]] = {
    "ns": (1, "nanosecond"),
    "us": (10**3, "nanosecond"),
    "ms": (10**6, "nanosecond"),
    "s": (SECOND, "nanosecond"),
    "min": (60 * SECOND, "nanosecond"),
    "h": (3600 * SECOND, "nanosecond"),
    "d": (1, "day"),
    "w": (7, "day"),
    "b": (1, "business_day"),
    "mo": (1, "month"),
    "y": (12, "month"),
    "me": (1, "month_end"),
    "bme": (1, "business_month_end"),
}
ROUND = (DAY, 3600 * SECOND, 60 * SECOND, *(10**power for power in range(9, -1, -1)))
"""Round durations, the longest first."""
_APPROXIMATE_DAYS = {"day": 1.0, "business_day": 1.0, "month": 30.4, "month_end": 30.4, "business_month_end": 30.4}


@dataclass(frozen=True)
class Frequency:
    """Distance of two rows.

    Calendar units are counted on the local calendar, so that a day may have 23 or 25 hours.

    Attributes:
        count: number of units.
        unit: nanosecond, or day or month of the calendar.
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        """As it is given with `--data.frequency`."""
        fitting = [(size, name) for name, (size, unit) in _UNITS.items() if unit == self.unit and not self.count % size]
        size, name = max(fitting)
        return f"{self.count // size}{name}"

    @property
    def nanoseconds(self) -> int:
        """Length of a step; of a business day or a month, about that of the shortest."""
        return int(self.count * (_APPROXIMATE_DAYS[self.unit] * DAY if self.unit != "nanosecond" else 1))

    def places(self, calendar: Array, first: np.datetime64) -> Array:
        """Places on the grid that begins at `first`, int64 `(rows,)`: the nearest to each time.

        Args:
            calendar: times in UTC for nanoseconds, else on the local calendar; datetime64[ns] `(rows,)`.
            first: the grid's first time.
        """
        if self.unit in ("nanosecond", "day"):
            return -(((first - calendar).astype(np.int64) + self.nanoseconds // 2) // self.nanoseconds)
        guess = self._near(calendar, first) // self.count
        around = [guess, guess - 1, guess + 1]
        distances = [np.abs((self.times(place, first) - calendar).astype(np.int64)) for place in around]
        return np.asarray(np.choose(np.argmin(distances, axis=0), around))

    def times(self, places: Array, first: np.datetime64) -> Array:
        """The inverse of `places`: datetime64[ns] `(rows,)` on the calendar of `first`."""
        steps = places * self.count
        if self.unit in ("nanosecond", "day"):
            return first + (steps * (DAY if self.unit == "day" else 1)).astype("timedelta64[ns]")
        day = first.astype("datetime64[D]")
        if self.unit == "business_day":
            days = np.busday_offset(day, steps, roll="forward")
        else:
            months = day.astype("datetime64[M]") + steps.astype("timedelta64[M]")
            last = (months + 1).astype("datetime64[D]") - 1
            days = months.astype("datetime64[D]") + (day - day.astype("datetime64[M]").astype("datetime64[D]"))
            if self.unit == "business_month_end":
                last = np.busday_offset(last, 0, roll="backward")
            days = last if self.unit.endswith("month_end") else np.minimum(days, last)
        found: Array = days.astype("datetime64[ns]") + (first - day.astype("datetime64[ns]"))
        return found

    def _near(self, calendar: Array, first: np.datetime64) -> Array:
        """Business days or months since `first`, within one."""
        if self.unit == "business_day":
            day = np.busday_offset(first.astype("datetime64[D]"), 0, roll="forward")
            days = np.busday_offset(calendar.astype("datetime64[D]"), 0, roll="backward")
            return np.asarray(np.busday_count(day, days))
        return np.asarray((calendar.astype("datetime64[M]") - first.astype("datetime64[M]")).astype(np.int64))

    @property
    def season_steps(self) -> int:
        """Rows after which the seasons repeat: a day, or a week of days, or a year of weeks or months; 1 for none."""
        if self.unit in ("month", "month_end", "business_month_end"):
            return 12 // self.count if 12 % self.count == 0 else 1
        if self.unit == "business_day":
            return 5 // self.count if 5 % self.count == 0 else 1
        for period in (DAY, 7 * DAY, 364 * DAY):
            if self.nanoseconds < period and period % self.nanoseconds == 0:
                return period // self.nanoseconds
        return 1


def parse_frequency(text: str) -> Frequency:
    """Reads a frequency such as 15min, 1h, 1d, 1b (business day), 1mo, 1me (month end) or 1bme (last business day).

    Raises:
        ConfigError: it is none.
    """
    match = re.fullmatch(r"(\d*)\s*([a-z]+)", text.strip().lower())
    if not match or match[2] not in _UNITS or match[1] == "0":
        units = ", ".join(_UNITS)
        raise ConfigError(f"data.frequency must be a number and one of {units}, such as 15min, not {text!r}")
    size, unit = _UNITS[match[2]]
    return Frequency(int(match[1] or 1) * size, unit)
