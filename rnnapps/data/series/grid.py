"""The regular grid that a series's rows lie on, or near."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from rnnapps.data.series.frequency import DAY, ROUND, Frequency
from rnnapps.types import Array

__all__ = ["Grid", "from_local"]

NEAR = 0.25
"""Rows that lie within this share of a step from their places are there, with some jitter."""


@dataclass(frozen=True)
class Grid:
    """Places at equal distances, and the rows in them.

    Attributes:
        frequency: distance of the places.
        calendar: times of the rows, datetime64[ns] `(rows,)`: in UTC for nanoseconds, else on the local calendar.
        first: time of the first place.
        places: place of each row, int64 `(rows,)`, ascending from 0: the nearest one, or where no grid of days or
            months lies near, that of its day or month.
    """

    frequency: Frequency
    calendar: Array
    first: np.datetime64
    places: Array

    @classmethod
    def through(cls, calendar: Array, frequency: Frequency) -> Grid:
        """The grid that lies nearest to ascending times; a round one where none lies near."""
        start = calendar[0]
        if frequency.unit != "business_day" or np.is_busday(start.astype("datetime64[D]")):
            grid = cls._from(calendar, frequency, start)
            if not grid.offsets.any():
                return grid
            middle = np.timedelta64(int(np.median(grid.offsets)), "ns")
            grid = cls._from(calendar, frequency, start + middle)
            if grid.near:
                allowed = int(np.abs(grid.offsets).max())
                return cls._from(calendar, frequency, _nearest_round(start + middle, allowed))
        return cls._round(calendar, frequency)

    @classmethod
    def _from(cls, calendar: Array, frequency: Frequency, start: np.datetime64) -> Grid:
        """The grid through a moment, from the place of the first row on."""
        places = frequency.places(calendar, start)
        return cls(frequency, calendar, frequency.times(places[:1], start)[0], places - places[0])

    @classmethod
    def _round(cls, calendar: Array, frequency: Frequency) -> Grid:
        """The grid of round moments; rows belong to their day or month, or to the nearest moment."""
        periods = _periods(calendar, frequency)
        if frequency.unit == "nanosecond":
            return cls._from(calendar, frequency, periods[0])
        places = frequency.places(periods, periods[0])
        places -= frequency.times(places, periods[0]) > periods
        return cls(frequency, calendar, periods[0], places)

    @functools.cached_property
    def offsets(self) -> Array:
        """How far after its place each row lies, nanoseconds, int64 `(rows,)`."""
        return (self.calendar - self.frequency.times(self.places, self.first)).astype(np.int64)

    @property
    def near(self) -> bool:
        """Whether all rows lie near their places."""
        return bool(np.abs(self.offsets).max() <= NEAR * self.frequency.nanoseconds)

    @property
    def kept(self) -> bool:
        """Whether every row is near a place of its own, and so keeps its time and its values."""
        return self.near and bool((np.diff(self.places) > 0).all())

    @property
    def complete(self) -> bool:
        """Whether every place has one row, which is near it."""
        return self.near and bool((np.diff(self.places) == 1).all())

    @property
    def size(self) -> int:
        """Number of places."""
        return int(self.places[-1]) + 1

    @property
    def empty(self) -> int:
        """Number of places without a row."""
        return self.size - len(np.unique(self.places))

    @property
    def first_irregular(self) -> int:
        """The first row that is not in the place after that of the row before it, or not near it."""
        off = np.abs(self.offsets[1:]) > NEAR * self.frequency.nanoseconds
        return int(np.flatnonzero(off | (np.diff(self.places) != 1))[0]) + 1

    def notes(self) -> list[str]:
        """What a person should know of rows off their places, and of empty places."""
        off = int(np.count_nonzero(self.offsets))
        notes = []
        if off and self.kept:
            furthest = _shown(int(np.abs(self.offsets).max()))
            notes.append(f"{off:,} times lie off the grid of {self.frequency}, by up to {furthest}; they are kept")
        elif off:
            notes.append(f"{off:,} rows were moved to the grid of {self.frequency}")
        if self.empty:
            notes.append(f"{self.empty:,} of {self.size:,} places of the grid of {self.frequency} have no row")
        return notes


def from_local(local: Array, timezone: str) -> Array:
    """Calendar times to UTC; an hour that clocks skip becomes the next one, one that comes twice the first."""
    import pandas as pd

    index = pd.DatetimeIndex(local).tz_localize(
        timezone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
    )
    return np.array(index.tz_convert("UTC").tz_localize(None).as_unit("ns"))


def _periods(calendar: Array, frequency: Frequency) -> Array:
    """The business day, day or month that each time lies in, by the time of its place; for nanoseconds, round times."""
    if frequency.unit == "nanosecond":
        since = calendar.astype(np.int64)
        return np.asarray((since - since % frequency.count).astype("datetime64[ns]"))
    days = calendar.astype("datetime64[D]")
    if frequency.unit == "month":
        days = calendar.astype("datetime64[M]").astype("datetime64[D]")
    elif frequency.unit.endswith("month_end"):
        days = (calendar.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
        days = np.busday_offset(days, 0, roll="backward") if frequency.unit == "business_month_end" else days
    elif frequency.unit == "business_day":
        days = np.busday_offset(days, 0, roll="backward")
    return np.asarray(days.astype("datetime64[ns]"))


def _nearest_round(moment: np.datetime64, allowed: int) -> np.datetime64:
    """The roundest moment within some nanoseconds of a time."""
    since = int(moment.astype(np.int64))
    nearest = ((since + unit // 2) // unit * unit for unit in ROUND)
    return np.datetime64(next(each for each in nearest if abs(each - since) <= allowed), "ns")


def _shown(nanoseconds: int) -> str:
    """A duration to three digits: 38.2ms."""
    for size, name in (
        (DAY, "d"),
        (3600 * 10**9, "h"),
        (60 * 10**9, "min"),
        (10**9, "s"),
        (10**6, "ms"),
        (10**3, "us"),
    ):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g}{name}"
    return f"{nanoseconds}ns"
