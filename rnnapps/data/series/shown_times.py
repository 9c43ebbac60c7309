"""Times as Python users and the command line get them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnnapps.types import Array

__all__ = ["shown_times", "utc_text"]


def shown_times(utc: Array, timezone: str) -> pd.DatetimeIndex:
    """Times of a series, datetime64 `(rows,)`: with their time zone, or, where that is UTC, in UTC without one."""
    index = pd.DatetimeIndex(utc)
    return index if timezone == "UTC" else index.tz_localize("UTC").tz_convert(timezone)


def utc_text(time: pd.Timestamp) -> str:
    """A time of `shown_times` as text, in UTC: "2024-06-30T12:00:00", with parts of seconds where it has some."""
    naive = time if time.tz is None else time.tz_convert("UTC").tz_localize(None)
    whole, part = divmod(int(naive.as_unit("ns").value), 10**9)
    text = str(np.datetime_as_string(np.datetime64(whole, "s"), unit="s"))
    return f"{text}.{part:09d}".rstrip("0") if part else text
