"""Dates as spreadsheets, offices of statistics, databases and logs write them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.given_series import given_series
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.data.series.time_texts import as_texts, read_format
from rnnapps.errors import DataError


def read(path: Path, times: list[str], header: str = "when;load", **settings: Any) -> Series:
    rows = "".join(f"{time};{row}\n" for row, time in enumerate(times))
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(path), **settings))
    return series


def require_times(series: Series, expected: pd.DatetimeIndex) -> None:
    assert series.times is not None
    np.testing.assert_array_equal(series.times, expected.to_numpy("datetime64[ns]"))
    np.testing.assert_array_equal(series.values[:, 0], np.arange(len(expected)))


HOURS = pd.date_range("2025-04-27", periods=120, freq="h")
DAYS = pd.date_range("2025-04-27", periods=60, freq="D")


@pytest.mark.parametrize(
    "form",
    [
        *("%d %b %Y %H:%M", "%d-%b-%Y %H:%M:%S", "%d-%b-%y %H:%M", "%B %d, %Y %I:%M %p", "%b %d, %Y, %H:%M"),
        *("%d/%m/%y %H:%M", "%m/%d/%y %I:%M %p", "%d-%m-%Y %H:%M", "%d. %B %Y %H:%M", "%Y.%m.%d %H:%M"),
        *("%Y-%m-%d %I:%M %p", "%d/%b/%Y:%H:%M:%S", "%a, %d %b %Y %H:%M:%S", "%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%d%H%M%S"),
    ],
)
def test_hours_in_formats_of_offices_and_logs(tmp_path: Path, form: str) -> None:
    times = [time.strftime(form) for time in HOURS]
    header = "timestamp;load" if form.startswith("%Y%m%d%H") else "when;load"
    series = read(tmp_path / "x.csv", times, header)
    require_times(series, HOURS)
    assert any(f"are read as {form} (--data.time_format)" in note for note in series.notes)


@pytest.mark.parametrize("form", ["%d %B %Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%y", "%d.%m.%y"])
def test_days_with_names_of_months_that_begin_in_may(tmp_path: Path, form: str) -> None:
    """May alone is written alike in full and in short."""
    require_times(read(tmp_path / "x.csv", [day.strftime(form) for day in DAYS[5:]]), DAYS[5:])


MONTHS = pd.date_range("2015-01-01", periods=30, freq="MS")
QUARTERS = pd.date_range("2015-01-01", periods=14, freq="QS")
WEEKS = pd.date_range("2018-12-31", periods=60, freq="W-MON")


@pytest.mark.parametrize(
    ("times", "text", "frequency"),
    [
        (MONTHS, lambda time: f"{time:%Y%m}", "1mo"),
        (MONTHS, lambda time: f"{time:%b %Y}", "1mo"),
        (MONTHS, lambda time: f"{time:%b-%y}", "1mo"),
        (MONTHS, lambda time: f"{time:%Y-%m}", "1mo"),
        (MONTHS, lambda time: f"{time:%m/%Y}", "1mo"),
        (MONTHS, lambda time: f"{time:%YM%m}", "1mo"),
        (QUARTERS, lambda time: f"{time.year}Q{time.quarter}", "3mo"),
        (QUARTERS, lambda time: f"{time.year}-Q{time.quarter}", "3mo"),
        (QUARTERS, lambda time: f"Q{time.quarter} {time.year}", "3mo"),
        (QUARTERS, lambda time: f"{time.quarter}Q{time.year}", "3mo"),
        (WEEKS, lambda time: "{}-W{:02d}".format(*time.isocalendar()[:2]), "1w"),
    ],
)
def test_months_quarters_and_weeks(
    tmp_path: Path, times: pd.DatetimeIndex, text: Callable[[pd.Timestamp], str], frequency: str
) -> None:
    series = read(tmp_path / "x.csv", [text(time) for time in times], "date;load")
    require_times(series, times)
    assert str(series.frequency) == frequency


@pytest.mark.parametrize("name", ["date", "Order date", "Datum"])
def test_serial_numbers_of_a_spreadsheet(tmp_path: Path, name: str) -> None:
    """45773 is 26 April 2025, as a spreadsheet shows it."""
    days = (HOURS - pd.Timestamp("2025-04-26")) / pd.Timedelta(days=1) + 45773
    series = read(tmp_path / "x.csv", [f"{day:.10f}" for day in days], f"{name};load")
    require_times(series, HOURS)
    assert any("are read as excel (--data.time_format)" in note for note in series.notes)


def test_serial_numbers_are_read_where_asked_for_and_in_frames(tmp_path: Path) -> None:
    days = [str(number) for number in range(45774, 45774 + len(DAYS))]
    require_times(read(tmp_path / "x.csv", days, "time;load", time_format="excel"), DAYS)
    (series,) = given_series(
        pd.DataFrame({"date": range(45774, 45774 + len(DAYS)), "load": range(len(DAYS))}), SeriesDataConfig()
    )
    require_times(series, DAYS)


def test_other_numbers_called_time_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'45774' is no time in ISO 8601.*data\.time none"):
        read(tmp_path / "x.csv", [str(number) for number in range(45774, 45800)], "time;load")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("decimals", [0, 1, 3])
def test_unix_times_with_and_without_decimals(tmp_path: Path, unit: str, decimals: int) -> None:
    size = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    texts = [f"{time.value // size}" + ("." + "0" * decimals if decimals else "") for time in HOURS]
    require_times(read(tmp_path / "x.csv", texts, "epoch;load"), HOURS)


AUTUMN = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="UTC")


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d %H:%M %Z", "%d.%m.%Y %H:%M %Z", "%d.%m.%Y %H:%M:%S (%Z)", "%Y-%m-%dT%H:%M%Z"]
)
def test_names_of_zones_tell_the_hours_of_autumn_apart(tmp_path: Path, form: str) -> None:
    local = AUTUMN.tz_convert("Europe/Berlin")
    assert {time.strftime("%Z") for time in local} == {"CET", "CEST"}
    series = read(tmp_path / "x.csv", [time.strftime(form) for time in local], timezone="Europe/Berlin")
    require_times(series, AUTUMN.tz_localize(None))


def test_offsets_of_hours_alone(tmp_path: Path) -> None:
    """As PostgreSQL writes them."""
    series = read(tmp_path / "x.csv", [f"{time:%Y-%m-%d %H:%M:%S}+02" for time in HOURS])
    require_times(series, HOURS - pd.Timedelta(hours=2))


def test_a_name_of_several_zones_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"CST is the name of several time zones: write times with their offset"):
        read(tmp_path / "x.csv", ["2024-01-01 00:00 CST", "2024-01-01 01:00 CST"], "time;load")


@pytest.mark.parametrize(("once", "hole"), [("first", 3), ("second", 2)])
def test_an_autumn_hour_that_is_there_once_is_the_one_asked_for(tmp_path: Path, once: str, hole: int) -> None:
    times = [f"2024-10-27 0{hour}:00" for hour in range(5)]
    with pytest.raises(DataError, match=r"line 4: .*comes twice.* give --data\.autumn_hour first or second"):
        read(tmp_path / "x.csv", times, timezone="Europe/Berlin")
    settings = {"timezone": "Europe/Berlin", "autumn_hour": once, "irregular": "regularise"}
    series = read(tmp_path / "x.csv", times, **settings)
    values = series.values[:, 0]
    assert series.times is not None and str(series.times[0]) == "2024-10-26T22:00:00.000000000"
    assert np.flatnonzero(np.isnan(values)).tolist() == [hole] and len(values) == 6


def test_an_autumn_hour_that_is_there_twice_needs_no_setting(tmp_path: Path) -> None:
    local = AUTUMN.tz_convert("Europe/Berlin")
    for once in ("refuse", "first", "second"):
        times = [f"{time:%Y-%m-%d %H:%M}" for time in local]
        series = read(tmp_path / "x.csv", times, timezone="Europe/Berlin", autumn_hour=once)
        require_times(series, AUTUMN.tz_localize(None))


def test_an_ambiguous_row_is_asked_for_with_what_it_means_in_each_format(tmp_path: Path) -> None:
    told = r"'%d/%m/%Y', '%m/%d/%Y', which both fit: '07/03/2025' is 7 March 2025 or 3 July 2025"
    with pytest.raises(DataError, match=told):
        read(tmp_path / "x.csv", ["07/03/2025"], "Date;load")


@given(
    start=st.datetimes(min_value=datetime.datetime(1980, 1, 1), max_value=datetime.datetime(2099, 1, 1)),
    form=st.sampled_from(
        [
            *("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%y %H:%M:%S", "%d %b %Y %H:%M:%S.%f"),
            *("%B %d, %Y %I:%M:%S %p", "%Y%m%d%H%M%S", "%d/%b/%Y:%H:%M:%S %z", "excel"),
        ]
    ),
)
@settings(max_examples=60, deadline=None)
def test_what_strftime_writes_is_read_back(start: datetime.datetime, form: str) -> None:
    start = start.replace(microsecond=0)
    if "%y" in form and not 1980 <= start.year < 2068:
        start = start.replace(year=2001, day=1)
    days = (start - datetime.datetime(1899, 12, 30)) / datetime.timedelta(days=1)
    text = repr(days) if form == "excel" else pd.Timestamp(start, tz="UTC").strftime(form)
    (time,) = read_format(as_texts(pd.Series([text])), form)
    assert time.tz_localize(None) == pd.Timestamp(start) if time.tz else time == pd.Timestamp(start)


@pytest.mark.parametrize("form", ["%Y-%m-%d {}:00", "%d.%m.%Y {}:00", "%Y-%m-%dT{}:00:00Z", "%m/%d/%Y {}:00:00"])
def test_an_hour_24_is_the_end_of_its_day(tmp_path: Path, form: str) -> None:
    """Hours from 1 to 24, as grids count them."""
    ends = HOURS + pd.Timedelta(hours=1)
    days = [time - pd.Timedelta(days=1) if time.hour == 0 else time for time in ends]
    texts = [day.strftime(form).format(f"{day.hour or 24:02d}") for day in days]
    assert sum("24:00" in text for text in texts) == 5
    require_times(read(tmp_path / "x.csv", texts), ends)


@pytest.mark.parametrize("text", ["2025-01-01 24:01", "2025-01-01 25:00", "2025-13-01 24:00"])
def test_hours_behind_the_end_of_a_day_are_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=f"line 3, column 'time': '{text}' is no time"):
        read(tmp_path / "x.csv", ["2025-01-01 23:00", text], "time;load")
