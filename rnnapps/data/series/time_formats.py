"""Formats of times that are not ISO 8601, found where only one makes sense of all rows."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from rnnapps.data.series.month_names import in_english
from rnnapps.data.series.time_texts import as_texts, read_format

__all__ = ["fitting_formats", "only_format", "shown_readings"]

_DATES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%d. %B %Y", "%d. %b %Y"),
    *("%b %d, %Y", "%b %d %Y", "%B %d, %Y", "%B %d %Y", "%a, %d %b %Y", "%a %d %b %Y"),
)
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p", "%H.%M", "%H")
_BEHIND = tuple(f"{between}{clock}{zone}" for clock in _CLOCKS for between in (" ", ", ") for zone in ("", "%z"))
"""What stands behind a date."""
_LOG = "%d/%b/%Y:%H:%M:%S"
"""Of web servers."""
_MONTHS = ("%b %Y", "%B %Y", "%b-%Y", "%B-%Y", "%b-%y", "%m/%Y", "%m-%Y", "%m.%Y", "%Y/%m", "%Y-%b", "%YM%m", "%Y %b")
_QUARTERS = ("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Y/Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%qQ%Y", "%qQ %Y")
_WEEKS = ("%G-W%V", "%GW%V")
_PATTERNS = {
    **{"%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{4}", "%y": r"\d{2}", "%b": "[A-Za-z]{3}", "%B": "[A-Za-z]{3,9}"},
    **{"%a": "[A-Za-z]{3}", "%H": r"\d{1,2}", "%I": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}", "%f": r"\d{1,9}"},
    **{"%p": "[AaPp][Mm]", "%z": r" ?(?:Z|[+-]\d\d:?\d\d)", "%q": "[1-4]", "%G": r"\d{4}", "%V": r"\d{2}"},
}
"""What stands for a directive."""
LONGEST_GAP = 3
"""Rows of the right format have no gap of more steps than this; with day and month exchanged they have longer ones."""


def _likely_formats(text: str) -> Iterator[str]:
    """The formats that a text has the look of: a date alone, or one with a clock and perhaps an offset behind it."""
    yield from (form for form in (*_MONTHS, *_QUARTERS, *_WEEKS, _LOG, f"{_LOG} %z") if _pattern(form).fullmatch(text))
    for date in _DATES:
        found = _pattern(date).match(text)
        rest = text[found.end() :] if found else None
        if rest == "":
            yield date
        elif rest:
            yield from (f"{date}{behind}" for behind in _BEHIND if _pattern(behind).fullmatch(rest))


@functools.cache
def _pattern(form: str) -> re.Pattern[str]:
    """What texts of a format look like."""
    return re.compile(re.sub(r"%\w", lambda match: _PATTERNS[match[0]], re.escape(form).replace(r"\%", "%")))


def fitting_formats(texts: pd.Series, formats: Iterable[str] | None = None) -> list[str]:
    """Those formats that all texts have; of several that read all of them alike, the first.

    Args:
        texts: at least one.
        formats: what to choose from; None for all that are known.
    """
    different: dict[str, pd.Series] = {}
    for form, times in _fitting(as_texts(texts), formats):
        if not any(times.equals(others) for others in different.values()):
            different[form] = times
    return list(different)


def only_format(texts: pd.Series) -> str:
    """The format that all texts have, if there is one, or one of several that gives rows without long gaps; else ""."""
    few = [form for form, _ in _fitting(as_texts(texts.iloc[:100]))]
    fitting = fitting_formats(texts, few)
    if len(fitting) > 1:
        fitting = [form for form in fitting if _is_steady(texts, form)]
    return fitting[0] if len(fitting) == 1 else ""


def _fitting(texts: pd.Series, formats: Iterable[str] | None = None) -> Iterator[tuple[str, pd.Series]]:
    """Formats that all texts have, and the times in each."""
    if formats is None:
        first = texts.iloc[:1]
        named = [in_english(first, full=full).iloc[0] for full in (False, True)]
        formats = dict.fromkeys(form for text in (first.iloc[0], *named) for form in _likely_formats(text))
    for form in formats:
        times = read_format(texts, form)
        if times.notna().all():
            yield form, times


def shown_readings(text: str, forms: Sequence[str]) -> str:
    """What a text means in each of several formats: "7 March 2025 or 3 July 2025"."""
    times = [read_format(pd.Series([text]), form).iloc[0] for form in forms]
    return " or ".join(f"{time.day} {time:%B %Y}" for time in times)


def _is_steady(texts: pd.Series, form: str) -> bool:
    """Whether times of a format follow each other without long gaps."""
    times = read_format(as_texts(texts), form).drop_duplicates().sort_values()
    steps = times.diff().dropna()
    return len(steps) > 1 and bool(steps.max() <= LONGEST_GAP * steps.median())
