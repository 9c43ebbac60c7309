"""Texts of times, brought into forms that pandas reads: names of zones, quarters, weeks, days of a spreadsheet."""

from __future__ import annotations

import re

import pandas as pd

from rnnapps.data.series.month_names import in_english

__all__ = ["EXCEL", "as_texts", "cell_texts", "read_format", "read_iso", "zone_problem"]

EXCEL = "excel"
"""The format of a spreadsheet's serial numbers: days since 30 December 1899, with their parts."""

EXCEL_BEGIN = pd.Timestamp("1899-12-30")
EXCEL_FIRST, EXCEL_LAST = 61, 132_000
"""From March 1900, before which spreadsheets count a day that never was, to 2261."""

_HOURS = {
    **dict.fromkeys(("UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("WEST", "CET", "MEZ"), 1),
    **dict.fromkeys(("CEST", "MESZ", "EET"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **{"JST": 9, "HST": -10, "AKST": -9, "PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CDT": -5, "EST": -5, "EDT": -4},
}
"""Names of zones that mean one offset from UTC, in hours."""
_SEVERAL = ("CST", "IST", "BST", "AST")
"""Names that mean different offsets in different countries."""
_ZONE = re.compile(r"(.*\d(?: ?[AaPp][Mm])?) ?\(?([A-Z]{3,4})\)?")
_HOUR_OFFSET = re.compile(r".*\d:\d\d(:\d\d(\.\d+)?)?[+-]\d\d")
_END_OF_DAY = re.compile(r"(?<=[ T])24:00(?=$|:00|[+Z-])")
_QUARTER = {"%Y": r"(?P<year>\d{4})", "%q": "(?P<quarter>[1-4])"}


def cell_texts(column: pd.Series) -> pd.Series:
    """Cells as texts; those of bytes too, which pandas alone would decode."""
    return column.map(str) if column.dtype == object else column.astype(str)


def as_texts(column: pd.Series) -> pd.Series:
    """A column as texts; of names of zones, and of offsets of hours alone, becomes "+02:00".

    Spaces around them are left out where the first has some.
    """
    texts = cell_texts(column)
    first = texts.iloc[0] if len(texts) else ""
    if first != first.strip():
        first, texts = first.strip(), texts.str.strip()
    if _HOUR_OFFSET.fullmatch(first):
        return texts.where(~texts.str.fullmatch(_HOUR_OFFSET), texts + ":00")
    named = _ZONE.fullmatch(first)
    if named is None or named[2] not in _HOURS:
        return texts
    parts = texts.str.extract(f"^{_ZONE.pattern}$")
    offsets = parts[1].map({name: f"{hours:+03d}:00" for name, hours in _HOURS.items()})
    return texts.where(offsets.isna(), parts[0].str.cat(offsets, na_rep=""))


def zone_problem(text: str) -> str:
    """What is wrong with the name of a zone behind a time; "" for nothing."""
    named = _ZONE.fullmatch(text.strip())
    return f"{named[2]} is the name of several time zones" if named and named[2] in _SEVERAL else ""


def read_format(texts: pd.Series, form: str) -> pd.Series:
    """Times of texts in one format, NaT where they are none; in UTC where the format holds an offset.

    Args:
        texts: see `as_texts`.
        form: of strptime, where %q is the number of a quarter, %V without a day means its Monday, and names of months
            may be of several languages; or `EXCEL`.
    """
    if form == EXCEL:
        days = pd.to_numeric(texts, errors="coerce")
        days = days.where(days.between(EXCEL_FIRST, EXCEL_LAST))
        return pd.to_datetime(days, unit="D", origin=EXCEL_BEGIN, errors="coerce").dt.round("ms")
    if "%q" in form:
        pattern = re.sub("%[Yq]", lambda match: _QUARTER[match[0]], re.escape(form).replace(r"\%", "%"))
        found = texts.str.extract(f"^{pattern}$")
        months = 3 * pd.to_numeric(found["quarter"]) - 2
        texts, form = found["year"] + "-" + months.astype("Int64").astype(str).str.zfill(2), "%Y-%m"
    elif "%b" in form or "%B" in form:
        texts = in_english(texts, full="%B" in form)
    elif "%V" in form and "%u" not in form:
        texts, form = texts + " 1", form + " %u"
    return _to_times(texts, form, utc="%z" in form)


def read_iso(texts: pd.Series, *, utc: bool) -> pd.Series:
    """Times of texts in ISO 8601, NaT where they are none; raises ValueError for offsets that differ, unless `utc`."""
    return _to_times(texts, "ISO8601", utc=utc)


def _to_times(texts: pd.Series, form: str, *, utc: bool) -> pd.Series:
    """Times of texts, NaT where they are none; 24:00 is the end of a day, which pandas does not know."""
    times = pd.to_datetime(texts, format=form, errors="coerce", utc=utc)
    late = times.isna() & texts.str.contains(_END_OF_DAY) if times.isna().any() else None
    if late is None or not late.any():
        return times
    ends = texts[late].str.replace(_END_OF_DAY, "00:00", regex=True)
    days = pd.to_datetime(ends, format=form, errors="coerce", utc=utc) + pd.Timedelta(days=1)
    return times.mask(late, days.astype(times.dtype))
