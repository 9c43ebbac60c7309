"""Columns of numbers that are times: Unix times, dates written as one number, days of a spreadsheet, and years."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from rnnapps.data.series.time_texts import EXCEL
from rnnapps.types import Array

__all__ = ["clock_columns", "digits_format", "unix_unit"]

FIRST, LAST = 10**9, 4 * 10**9
"""Unix seconds from 2001 to 2096: what other numbers rarely are."""
UNITS = {"unix_s": 1, "unix_ms": 10**3, "unix_us": 10**6, "unix_ns": 10**9}
_CLOCK = re.compile(r"time|epoch|unix|date|datum|zeit|(^|[^a-z])(ts|t)([^a-z]|$)")
_DATED = re.compile(r"dat|month|period|yyyy|(^|[^a-z])ym([^a-z]|$)")
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


_DIGITS = {
    "%Y%m": (190_001, 209_912),
    "%Y%m%d": (19_000_101, 20_991_231),
    "%Y%m%d%H": (1_900_010_100, 2_099_123_123),
    "%Y%m%d%H%M": (190_001_010_000, 209_912_312_359),
    "%Y%m%d%H%M%S": (19_000_101_000_000, 20_991_231_235_959),
}
"""Dates written as one number, and the range of such numbers."""
_PARTS = {"%m": (1, 12), "%d": (1, 31), "%H": (0, 23), "%M": (0, 59), "%S": (0, 59)}
EXCEL_DAYS = (20_000, 80_000)
"""Serial numbers of a spreadsheet from 1954 to 2119."""


def digits_format(numbers: Array, name: str) -> str:
    """The format in which all numbers are dates of these two centuries, such as %Y%m for 201501; "" for none.

    Args:
        numbers: the first ones of a column.
        name: of the column; only one that speaks of dates holds serial numbers of a spreadsheet, the format `excel`.
    """
    if not len(numbers) or not np.isfinite(numbers).all():
        return ""
    low, high = numbers.min(), numbers.max()
    if "dat" in name.lower() and EXCEL_DAYS[0] <= low and high < EXCEL_DAYS[1]:
        return EXCEL
    fitting = (form for form, (first, last) in _DIGITS.items() if first <= low and high <= last)
    return next((form for form in fitting if _are_dates(numbers, form)), "")


def _are_dates(numbers: Array, form: str) -> bool:
    """Whether each pair of digits behind the year is a month, a day, an hour..."""
    rest, good = numbers, numbers == np.round(numbers)
    for directive in reversed(re.findall("%[mdHMS]", form)):
        low, high = _PARTS[directive]
        good &= (rest % 100 >= low) & (rest % 100 <= high)
        rest = rest // 100
    return bool(good.all())


def clock_columns(columns: Iterable[tuple[str, Array]]) -> tuple[list[str], Mapping[str, str]]:
    """Columns of numbers that are called times and hold Unix times or dates, and those that look like times.

    Args:
        columns: names and the first numbers of columns.

    Returns:
        Names of the first kind; and what a person should know of each of the second, by its name.
    """
    times, doubts = [], {}
    for name, numbers in columns:
        unit, ascending = unix_unit(numbers), len(numbers) > 1 and bool((np.diff(numbers) > 0).all())
        years = ascending and (numbers == numbers.round()).all() and numbers[0] >= 1000 and numbers[-1] < 3000
        dated = ascending and _DATED.search(name.lower()) and digits_format(numbers, name)
        if dated or (unit and _CLOCK.search(name.lower())):
            times.append(name)
        elif unit and ascending:
            doubts[name] = f"looks like Unix times and is learned as a channel; if it is the time: --data.time {name}"
        elif years and name.lower() in _YEAR:
            remedy = f"if it is the time: --data.time {name} --data.time_format %Y"
            doubts[name] = f"looks like years and is learned as a channel; {remedy}"
    return times, doubts
