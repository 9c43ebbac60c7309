"""The frequency that rows show: fitted to calendars and to plain steps, through missing rows and jitter."""

from __future__ import annotations

import numpy as np

from rnnapps.data.series.frequency import DAY, ROUND, Frequency
from rnnapps.types import Array

__all__ = ["SAMPLE", "detect_frequency"]

SAMPLE = 10_000
"""Rows whose distances are looked at first."""
FEWEST_MONTHS = 3
"""Rows that one day of the month must have before it is more than chance."""
FEWEST_BUSINESS_DAYS = 10
"""Rows without any weekend before that is more than chance: one daily series in 29 has none in ten."""
LEAST_FILLED = 0.2
"""A grid of days that is emptier than this gives way to a longer step with jitter, where there is one."""
MOST_JITTER = 0.15
"""How far rows may lie from a plain step's places, as a share of the step, all but one in twenty."""


def detect_frequency(utc: Array, local: Array) -> Frequency | None:
    """The frequency of times, some of which may be missing or off; None for fewer than two distinct times.

    Whole days, business days, months and month ends are seen on the local calendar: a day of 23 hours at the change to
    summer time is a day.

    Args:
        utc: strictly ascending datetime64[ns] `(rows,)`.
        local: the same moments on the local calendar.
    """
    if len(utc) < 2:
        return None
    commonest = _commonest_distance(utc[:SAMPLE], local[:SAMPLE])
    calendar = utc if commonest.unit == "nanosecond" else local
    if (commonest.times(np.arange(len(utc)), calendar[0]) == calendar).all():
        return commonest
    return _on_days(local) or _plain_step(utc) or _sparse_step(utc) or commonest


def _commonest_distance(utc: Array, local: Array) -> Frequency:
    """The commonest distance of neighbouring times, which is that of all where none is missing or off."""
    months = local.astype("datetime64[M]")
    within = local - months.astype("datetime64[ns]")
    steps = np.diff(months).astype(np.int64)
    if len(utc) > 2 and (within == within[0]).all() and steps.min() >= 1:
        return Frequency(_commonest(steps), "month")
    commonest = _commonest(np.diff(local).astype(np.int64))
    if commonest % DAY == 0:
        return Frequency(commonest // DAY, "day")
    return Frequency(_commonest(np.diff(utc).astype(np.int64)), "nanosecond")


def _on_days(local: Array) -> Frequency | None:
    """A frequency of days, business days or months, where rows have one time of the day and at most one row a day."""
    time_of_day = (local - local.astype("datetime64[D]")).astype(np.int64)
    offsets = (time_of_day - time_of_day[0] + DAY // 2) % DAY - DAY // 2
    offsets = offsets - int(np.median(offsets))
    if np.abs(offsets).max() > DAY // 4:
        return None
    clock = np.timedelta64(int(time_of_day[0] - offsets[0]), "ns")
    midnights = local - offsets.astype("timedelta64[ns]") - clock
    days = ((midnights.astype(np.int64) + DAY // 2) // DAY).astype("datetime64[D]")
    steps = np.diff(days).astype(np.int64)
    if steps.min() < 1:
        return None
    step = _shared_step(days.astype(np.int64))
    found = _monthly(days, step) or _business_days(days, step)
    if found or _filled(days.astype(np.int64), step) >= LEAST_FILLED:
        return found or Frequency(step, "day")
    return _plain_step(local) or Frequency(step, "day")


def _monthly(days: Array, step: int) -> Frequency | None:
    """Months, where all rows lie on one day, on the last day or last business day, or within a few days."""
    months = days.astype("datetime64[M]")
    steps = np.diff(months).astype(np.int64)
    if len(days) < FEWEST_MONTHS or steps.min() < 1:
        return None
    first = months.astype("datetime64[D]")
    day, length = (days - first).astype(np.int64) + 1, ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    count = int(np.gcd.reduce(steps))
    one_day = (day == day[0]).all()
    if (day == length).all() and not (one_day and count % 12 == 0):
        return Frequency(count, "month_end")
    if (days == np.busday_offset(first + length - 1, 0, roll="backward")).all() and not one_day:
        return Frequency(count, "business_month_end")
    near = len(days) >= 2 * FEWEST_MONTHS and np.ptp(day) < 7 and step < 7
    return Frequency(count, "month") if near or (day == np.minimum(day.max(), length)).all() else None


def _business_days(days: Array, step: int) -> Frequency | None:
    """Business days, where no row lies on a weekend, though daily ones would; of fewer than six rows none is known."""
    if step % 7 == 0 or len(days) < 6 or not np.is_busday(days).all():
        return None
    steps = np.busday_count(days[:-1], days[1:])
    count = int(np.gcd.reduce(steps))
    complete = (steps == 1).all()
    often = len(days) >= FEWEST_BUSINESS_DAYS and len(days) * count >= LEAST_FILLED * steps.sum()
    return Frequency(count, "business_day") if complete or often else None


def _shared_step(numbers: Array) -> int:
    """The longest step whose multiples all numbers lie on, but for a few of many."""
    steps, counts = np.unique(np.diff(numbers), return_counts=True)
    commonest = int(steps[counts.argmax()])
    if len(numbers) >= 20:
        _, alike = np.unique(numbers % commonest, return_counts=True)
        if alike.max() >= 0.95 * len(numbers):
            return commonest
    return int(np.gcd.reduce(steps))


def _filled(numbers: Array, step: int) -> float:
    """The share of places between the first and the last number that hold one."""
    return float(len(numbers) / (1 + (numbers[-1] - numbers[0]) // step))


def _plain_step(times: Array) -> Frequency | None:
    """A step that rows keep to with some jitter, most of its places being filled."""
    since = (times - times[0]).astype(np.int64)
    distances = np.diff(since)
    step = float(np.median(distances))
    for longest in (1.5, 3.5, 10.5, 100.5, np.inf):  # a long gap counts once the step is known well enough for it
        short = distances[distances < longest * step]
        places = np.rint(short / step)
        step = short.sum() / places.sum() if places.sum() else step
    places = np.concatenate([[0], np.cumsum(np.rint(distances / step))])
    if len(times) < 3 or len(times) < places[-1] / 2:
        return None
    step = float(np.polyfit(places, since - places * step, 1)[0] + step)
    left = _misses(since, places, step)
    if left > MOST_JITTER * step:
        return None
    return _duration(_rounded(since, places, step, allowed=left * (2 + 8 / len(times)) + 1e-6 * step))


def _misses(since: Array, places: Array, step: float) -> float:
    """How far rows lie from their places, all but one in twenty."""
    offsets = since - places * step
    return float(np.quantile(np.abs(offsets - np.median(offsets)), 0.95))


def _rounded(since: Array, places: Array, step: float, *, allowed: float) -> int:
    """The roundest step whose places rows lie on as well."""
    steps = [round(step / unit) * unit for unit in ROUND]
    fitting = (each for each in steps if each and _misses(since, places, each) <= allowed)
    return next(fitting, max(round(step), 1))


def _sparse_step(utc: Array) -> Frequency | None:
    """The longest step that rows lie on exactly, where they are few but not too few."""
    numbers = (utc - utc[0]).astype(np.int64)
    step = _shared_step(numbers)
    return _duration(step) if _filled(numbers, step) >= LEAST_FILLED / 10 else None


def _duration(nanoseconds: int) -> Frequency:
    """Whole days as days of the calendar."""
    if nanoseconds % DAY == 0:
        return Frequency(nanoseconds // DAY, "day")
    return Frequency(nanoseconds, "nanosecond")


def _commonest(steps: Array) -> int:
    """The step that occurs most often, the smallest of equals."""
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])
