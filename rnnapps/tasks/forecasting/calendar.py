"""The calendar inside the graph: local time through changes of the clock, steps of months, and cyclic features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.data.series.frequency import Frequency
from rnnapps.preprocessing.local_clock import LocalClock, clock_changes
from rnnapps.tasks.forecasting.public_holidays import COLUMNS, PublicHolidays
from rnnapps.types import Tensor

__all__ = ["Calendar", "calendar_features", "tells_days"]

HOUR, DAY = 3600, 86_400
CYCLES = {"hour": DAY, "weekday": 7 * DAY, "year": 365.2425 * DAY}
"""Cyclic feature -> its period in seconds."""
_WAVES = ("sine", "cosine")
SECONDS = {
    **{"nanosecond": 1e-9, "day": DAY, "business_day": 1.4 * DAY},
    **{"month": 30.4 * DAY, "month_end": 30.4 * DAY, "business_month_end": 30.4 * DAY},
}
"""Seconds of a frequency's unit, on average."""


def calendar_features(frequency: Frequency | None) -> tuple[str, ...]:
    """The cycles that say something about rows of a frequency: those that are longer than four rows."""
    if frequency is None:
        return ()
    seconds = SECONDS[frequency.unit] * frequency.count
    return tuple(name for name, period in CYCLES.items() if period > 4 * seconds)


def tells_days(frequency: Frequency | None) -> bool:
    """Whether rows of a frequency are of one day each, so that the days' own features say something."""
    return frequency is not None and SECONDS[frequency.unit] * frequency.count <= SECONDS["business_day"]


@dataclass(frozen=True)
class Calendar(LocalClock):
    """A time zone's clock, and what is said of its times.

    Attributes:
        features: names in `CYCLES`.
        holidays: of a country; None where the model does not look at them.
    """

    features: tuple[str, ...]
    holidays: PublicHolidays | None = None

    @classmethod
    def make(cls, timezone: str, features: Sequence[str], holidays: PublicHolidays | None = None) -> Calendar:
        """Reads the changes from 1900 to 2100 from the system's time zone tables."""
        return cls(timezone, *clock_changes(timezone), tuple(features), holidays)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the feature columns."""
        waves = [f"{part} of {name}" for name in self.features for part in _WAVES]
        return (*waves, *(COLUMNS if self.holidays else ()))

    @property
    def size(self) -> int:
        """Number of feature columns."""
        return len(self.names)

    def steps_from(self, last: Tensor, steps: Tensor, frequency: Frequency) -> Tensor:
        """Local seconds of rows at distances from a row.

        Args:
            last: Unix seconds of the row, int64 `(batch,)`.
            steps: distances in rows, int64 `(batch or 1, rows)`; negative for earlier rows.
            frequency: distance of two rows.

        Returns:
            int64 `(batch, rows)`.
        """
        if frequency.unit == "nanosecond":
            return self.local(last[:, None] + steps * frequency.count // 10**9)
        local = self.local(last)
        if frequency.unit == "day":
            return local[:, None] + steps * (frequency.count * DAY)
        days, within = local // DAY, local % DAY
        if frequency.unit == "business_day":
            return _business_days_from(days, steps * frequency.count) * DAY + within[:, None]
        year, month, day = _civil(days)
        months = year * 12 + month - 1
        moved = months[:, None] + steps * frequency.count
        last = _days((moved + 1) // 12, (moved + 1) % 12 + 1) - 1
        if frequency.unit == "business_month_end":
            last -= tf.maximum((last + 3) % 7 - 4, 0)  # 1970 began on a Thursday; from Saturday and Sunday to Friday
        if frequency.unit.endswith("month_end"):
            return last * DAY + within[:, None]
        on_day = _days(moved // 12, moved % 12 + 1) + (day - 1)[:, None]
        return tf.minimum(on_day, last) * DAY + within[:, None]

    def encode(self, local: Tensor) -> Tensor:
        """Local seconds, int64 `(...)` -> sine and cosine of each cycle, and holidays; float32 `(..., size)`."""
        parts = []
        for name in self.features:
            if name == "year":
                year, _, _ = _civil(local // DAY)
                into = local - _days(year, tf.ones_like(year)) * DAY
            else:
                into = (local - 4 * DAY if name == "weekday" else local) % int(CYCLES[name])  # 1970 began on a Thursday
            phase = tf.cast(into, tf.float32) * np.float32(2 * np.pi / CYCLES[name])
            parts += [tf.sin(phase), tf.cos(phase)]
        cycles = [tf.stack(parts, axis=-1)] if parts else []
        return tf.concat([*cycles, *([self.holidays.encode(local // DAY)] if self.holidays else [])], axis=-1)

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        holidays = {"holidays": self.holidays.as_json()} if self.holidays else {}
        return {**super().as_json(), "features": list(self.features), **holidays}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calendar:
        """Restores what `as_json` gave, whatever the system's tables say by then."""
        changes, offsets, features = (tuple(content[name]) for name in ("changes", "offsets", "features"))
        holidays = PublicHolidays.from_json(content["holidays"]) if content.get("holidays") else None
        return cls(str(content["timezone"]), changes, offsets, features, holidays)


def _civil(days: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Days since 1970 -> year, month, day of the Gregorian calendar.

    Source: Hinnant, "chrono-compatible low-level date algorithms", civil_from_days: years begin in March, so that the
    leap day is the last of its year.
    """
    shifted = days + 719_468
    era, day_of_era = shifted // 146_097, shifted % 146_097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = tf.where(shifted_month < 10, shifted_month + 3, shifted_month - 9)
    return year_of_era + era * 400 + tf.cast(month <= 2, tf.int64), month, day


def _days(year: Tensor, month: Tensor) -> Tensor:
    """Days since 1970 of the first of a month (Hinnant, days_from_civil)."""
    shifted = year - tf.cast(month <= 2, tf.int64)
    era, year_of_era = shifted // 400, shifted % 400
    day_of_year = (153 * (month + tf.where(month > 2, tf.constant(-3, tf.int64), tf.constant(9, tf.int64))) + 2) // 5
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def _business_days_from(days: Tensor, steps: Tensor) -> Tensor:
    """Days since 1970 `(batch,)`, moved by business days `(batch or 1, rows)`; from a weekend as from its Monday."""
    weekday = (days + 3) % 7  # 1970 began on a Thursday
    moved = tf.minimum(weekday, 5)[:, None] + steps
    return (days - weekday)[:, None] + moved // 5 * 7 + moved % 5
