"""Formats of times that are not ISO 8601, found where only one makes sense of all rows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

__all__ = ["fitting_formats", "only_format"]

_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d")
_CLOCKS = (" %H:%M:%S", " %H:%M", "", " %I:%M:%S %p", " %I:%M %p")
_FORMATS = tuple(date + clock for date in _DATES for clock in _CLOCKS)
LONGEST_GAP = 3
"""Rows of the right format have no gap of more steps than this; with day and month exchanged they have longer ones."""


def fitting_formats(texts: pd.Series, formats: Sequence[str] = _FORMATS) -> list[str]:
    """Those formats that all texts have."""
    return [form for form in formats if pd.to_datetime(texts, format=form, errors="coerce").notna().all()]


def only_format(texts: pd.Series) -> str:
    """The format that all texts have, if there is one, or one of several that gives rows without long gaps; else ""."""
    fitting = fitting_formats(texts, fitting_formats(texts.iloc[:100]))
    if len(fitting) > 1:
        fitting = [form for form in fitting if _is_steady(texts, form)]
    return fitting[0] if len(fitting) == 1 else ""


def _is_steady(texts: pd.Series, form: str) -> bool:
    """Whether times of a format follow each other without long gaps."""
    times = pd.to_datetime(texts, format=form).drop_duplicates().sort_values()
    steps = times.diff().dropna()
    return len(steps) > 1 and bool(steps.max() <= LONGEST_GAP * steps.median())
