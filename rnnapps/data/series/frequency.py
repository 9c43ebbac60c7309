"""The distance of a series's rows: an exact duration, or a number of calendar days or months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnnapps.errors import ConfigError
from rnnapps.types import Array

__all__ = ["Frequency", "detect_frequency", "parse_frequency"]

Unit = Literal["nanosecond", "day", "month"]
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
    "mo": (1, "month"),
    "y": (12, "month"),
}
SAMPLE = 10_000


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

    def indices(self, local: Array, first: np.datetime64) -> tuple[Array, Array]:
        """Places on the grid that begins at `first`.

        Args:
            local: times on the local calendar for calendar units, else in UTC; datetime64[ns] `(rows,)`.
            first: the grid's first time.

        Returns:
            int64 `(rows,)`, the last place not after each time, and bool `(rows,)`, whether it lies exactly there.
        """
        if self.unit != "month":
            step = self.count * (DAY if self.unit == "day" else 1)
            place, rest = np.divmod((local - first).astype(np.int64), step)
            return place, rest == 0
        months, start = local.astype("datetime64[M]"), first.astype("datetime64[M]")
        offset = first - start.astype("datetime64[ns]")
        late = (local - months.astype("datetime64[ns]")) >= offset
        whole = (months - start).astype(np.int64) - ~late
        place = whole // self.count
        return place, self.times(place, first) == local

    def times(self, places: Array, first: np.datetime64) -> Array:
        """The inverse of `indices`: datetime64[ns] `(rows,)` on the calendar of `first`."""
        if self.unit != "month":
            return first + (places * self.count * (DAY if self.unit == "day" else 1)).astype("timedelta64[ns]")
        start = first.astype("datetime64[M]")
        offset = first - start.astype("datetime64[ns]")
        found: Array = (start + (places * self.count).astype("timedelta64[M]")).astype("datetime64[ns]") + offset
        return found

    @property
    def season_steps(self) -> int:
        """Rows after which the seasons repeat: a day, or a week of days, or a year of weeks or months; 1 for none."""
        if self.unit == "month":
            return 12 // self.count if 12 % self.count == 0 else 1
        nanoseconds = self.count * (DAY if self.unit == "day" else 1)
        for period in (DAY, 7 * DAY, 364 * DAY):
            if nanoseconds < period and period % nanoseconds == 0:
                return period // nanoseconds
        return 1


def parse_frequency(text: str) -> Frequency:
    """Reads a frequency such as 15min, 1h, 1d or 1mo.

    Raises:
        ConfigError: it is none.
    """
    match = re.fullmatch(r"(\d*)\s*([a-z]+)", text.strip().lower())
    if not match or match[2] not in _UNITS or match[1] == "0":
        units = ", ".join(_UNITS)
        raise ConfigError(f"data.frequency must be a number and one of {units}, such as 15min, not {text!r}")
    size, unit = _UNITS[match[2]]
    return Frequency(int(match[1] or 1) * size, unit)


def detect_frequency(utc: Array, local: Array) -> Frequency | None:
    """The commonest distance of neighbouring times; None for fewer than two distinct times.

    Whole days and months are seen on the local calendar: a day of 23 hours at the change to summer time is a day.

    Args:
        utc: strictly ascending datetime64[ns] `(rows,)`.
        local: the same moments on the local calendar.
    """
    utc, local = utc[:SAMPLE], local[:SAMPLE]
    if len(utc) < 2:
        return None
    months = local.astype("datetime64[M]")
    within = local - months.astype("datetime64[ns]")
    steps = np.diff(months).astype(np.int64)
    if len(utc) > 2 and (within == within[0]).all() and steps.min() >= 1:
        return Frequency(_commonest(steps), "month")
    days = np.diff(local).astype(np.int64)
    commonest = _commonest(days)
    if commonest % DAY == 0:
        return Frequency(commonest // DAY, "day")
    return Frequency(_commonest(np.diff(utc).astype(np.int64)), "nanosecond")


def _commonest(steps: Array) -> int:
    """The step that occurs most often, the smallest of equals."""
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])
