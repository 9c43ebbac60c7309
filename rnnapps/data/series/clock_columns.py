"""Columns of numbers that are times: Unix times, and years."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from rnnapps.types import Array

__all__ = ["clock_columns", "unix_unit"]

FIRST, LAST = 10**9, 4 * 10**9
"""Unix seconds from 2001 to 2096: what other numbers rarely are."""
UNITS = {"unix_s": 1, "unix_ms": 10**3, "unix_us": 10**6, "unix_ns": 10**9}
_CLOCK = re.compile(r"time|epoch|unix|date|(^|[^a-z])(ts|t)([^a-z]|$)")
_YEAR = ("year", "yr", "jahr")


def unix_unit(numbers: Array) -> str:
    """The unit in which numbers are Unix times of this century: unix_s, unix_ms, unix_us, unix_ns; "" for none."""
    if not len(numbers) or not np.isfinite(numbers).all():
        return ""
    low, high = numbers.min(), numbers.max()
    if _are_hours_of_dates(numbers):
        return ""
    return next((name for name, size in UNITS.items() if FIRST * size <= low and high < LAST * size), "")


def _are_hours_of_dates(numbers: Array) -> bool:
    """Whether all numbers are dates with an hour, as 2024010112 is, which would be Unix seconds of the 2030s."""
    month, day, hour = numbers // 10**4 % 100, numbers // 100 % 100, numbers % 100
    digits = (numbers >= 19 * 10**8) & (numbers < 21 * 10**8)
    return bool((digits & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (hour <= 24)).all())


def clock_columns(columns: Iterable[tuple[str, Array]]) -> tuple[list[str], Mapping[str, str]]:
    """Columns of numbers that are called times and hold Unix times, and those that look like times.

    Args:
        columns: names and the first numbers of columns.

    Returns:
        Names of the first kind; and what a person should know of each of the second, by its name.
    """
    times, doubts = [], {}
    for name, numbers in columns:
        unit, ascending = unix_unit(numbers), len(numbers) > 1 and bool((np.diff(numbers) > 0).all())
        years = ascending and (numbers == numbers.round()).all() and numbers[0] >= 1000 and numbers[-1] < 3000
        if unit and _CLOCK.search(name.lower()):
            times.append(name)
        elif unit and ascending:
            doubts[name] = f"looks like Unix times and is learned as a channel; if it is the time: --data.time {name}"
        elif years and name.lower() in _YEAR:
            remedy = f"if it is the time: --data.time {name} --data.time_format %Y"
            doubts[name] = f"looks like years and is learned as a channel; {remedy}"
    return times, doubts
