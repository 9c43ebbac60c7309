"""Frequencies are found through missing rows and jitter, and rows keep their times, values and places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency, parse_frequency
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.regular import next_times, regular_rows
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError
from rnnapps.types import Array

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
CALENDARS = ("MS", "ME", "QS", "QE", "YS", "YE", "B", *(f"W-{day}" for day in DAYS))
STEPS = {"D": 86_400 * 10**9, "h": 3600 * 10**9, "min": 60 * 10**9, "s": 10**9, "ms": 10**6}
STARTS = st.integers(0, 20_000).map(lambda day: pd.Timestamp(1970, 1, 1) + pd.Timedelta(days=day))


def regular(times: Array, *, regularise: bool) -> Series:
    values = np.arange(len(times), dtype=np.float32)[:, None]
    series = Series("x", times.astype("datetime64[ns]"), values, ("v",))
    return regular_rows(series, None, regularise=regularise, path="x.csv", place=lambda row: f"line {row + 2}")


def check(offset: str, start: pd.Timestamp, *, seed: int, jitter: int) -> None:
    """Drops a fifth of the rows, moves the others by up to `jitter` nanoseconds, and looks for them."""
    every = pd.date_range(start, periods=70, freq=offset).as_unit("ns").to_numpy()
    true, ahead = every[:60], every[60:]
    generator = np.random.default_rng(seed)
    kept = generator.random(60) >= 0.2
    kept[[0, -1]] = True
    moved = generator.integers(0, jitter, 60, endpoint=True) if jitter else np.zeros(60, np.int64)
    moved[-1] = 0
    given_times = (true + moved.astype("timedelta64[ns]"))[kept]
    series = regular(given_times, regularise=True)
    assert series.times is not None and series.frequency is not None
    assert len(series) == 60, series.frequency
    np.testing.assert_array_equal(series.times[kept], given_times)
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(series.values[:, 0])), np.flatnonzero(kept))
    np.testing.assert_array_equal(series.values[kept, 0], np.arange(kept.sum()))
    np.testing.assert_array_equal(next_times(series.times[-1], 10, series.frequency, "UTC"), ahead)
    np.testing.assert_allclose((series.times - true).astype(np.int64), moved * kept, atol=jitter)


@given(offset=st.sampled_from(CALENDARS), start=STARTS, seed=st.integers(0, 10**6), jitter=st.sampled_from([0, 4]))
@settings(max_examples=120, deadline=None)
def test_calendars_are_found(offset: str, start: pd.Timestamp, seed: int, jitter: int) -> None:
    check(offset, start, seed=seed, jitter=jitter * 864 * 10**9)  # within the day


@given(
    unit=st.sampled_from(tuple(STEPS)),
    count=st.integers(1, 30),
    start=STARTS,
    seed=st.integers(0, 10**6),
    jitter=st.sampled_from([0, 1, 4]),
)
@settings(max_examples=120, deadline=None)
def test_plain_steps_are_found(unit: str, count: int, start: pd.Timestamp, seed: int, jitter: int) -> None:
    check(f"{count}{unit}", start, seed=seed, jitter=jitter * count * STEPS[unit] // 100)


@given(start=STARTS, seed=st.integers(0, 10**6), count=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_jitter_to_both_sides_of_a_complete_series(start: pd.Timestamp, seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    true = start.to_numpy() + (np.arange(120) * count * 10**9).astype("timedelta64[ns]")
    times = true + (generator.integers(-40, 40, 120) * count * 10**6).astype("timedelta64[ns]")
    series = regular(times, regularise=False)
    assert str(series.frequency) == str(Frequency(count * 10**9, "nanosecond"))
    np.testing.assert_array_equal(series.times, times)
    np.testing.assert_array_equal(series.values[:, 0], np.arange(120))
    assert "times lie off the grid" in series.notes[0]


@pytest.mark.parametrize(
    ("first", "offset", "frequency"),
    [
        ("2021-01-31", "ME", "1me"),
        ("2021-03-31", "QE", "3me"),
        ("2021-01-01", "QS", "3mo"),
        ("2020-12-31", "YE", "1y"),
        ("2024-02-29", "YE-FEB", "12me"),
        ("2024-01-04", "B", "1b"),
        ("2024-01-31", "BME", "1bme"),
    ],
)
def test_complete_calendars_need_no_setting(tmp_path: Path, first: str, offset: str, frequency: str) -> None:
    every = pd.date_range(first, periods=39, freq=offset)
    rows = "".join(f"{time:%Y-%m-%d},{50 + row / 4}\n" for row, time in enumerate(every[:36]))
    (tmp_path / "x.csv").write_text("date,value\n" + rows, encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.csv")))
    assert str(series.frequency) == frequency
    np.testing.assert_array_equal(series.times, every[:36].as_unit("ns").to_numpy())
    np.testing.assert_array_equal(series.values[:, 0], (50 + np.arange(36) / 4).astype(np.float32))
    assert series.times is not None and series.frequency is not None
    following = next_times(series.times[-1], 3, series.frequency, "UTC")
    np.testing.assert_array_equal(following, every[36:].as_unit("ns").to_numpy())


@pytest.mark.parametrize(("timezone", "first"), [("Europe/Berlin", "2024-03-28"), ("America/New_York", "2024-10-30")])
def test_business_days_and_month_ends_follow_the_local_clock(timezone: str, first: str) -> None:
    for offset, unit in (("B", "business_day"), ("ME", "month_end"), ("BME", "business_month_end")):
        local = pd.date_range(first, periods=20, freq=offset, tz=timezone)
        times = local.tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy()
        series = Series("x", times[:15], np.zeros((15, 1), np.float32), ("v",), timezone=timezone)
        found = regular_rows(series, None, regularise=False, path="x", place=str).frequency
        assert found == Frequency(1, unit)
        np.testing.assert_array_equal(next_times(times[14], 5, found, timezone), times[15:])


SPARSE = ("2025-03-01", "2025-03-02", "2025-03-05", "2025-03-14", "2025-03-16", "2025-03-19")


def test_sparse_days_are_days() -> None:
    times = np.array(SPARSE, "datetime64[ns]")
    series = regular(times, regularise=True)
    assert series.frequency == Frequency(1, "day")
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(series.values[:, 0])), [0, 1, 4, 13, 15, 18])


def test_the_remedy_says_what_it_would_do_and_does_it() -> None:
    times = np.array(SPARSE, "datetime64[ns]")
    with pytest.raises(DataError, match=r"line 4: .*rows are 1d apart.*regularise \(19 places 1d apart, 13 without"):
        regular(times, regularise=False)
    series = regular(times, regularise=True)
    assert (len(series), int(np.isnan(series.values).sum())) == (19, 13)


def test_no_remedy_is_named_that_would_average_rows() -> None:
    times = np.cumsum(np.random.default_rng(5).exponential(3e12, 200)).astype(np.int64).astype("datetime64[ns]")
    with pytest.raises(DataError) as caught:
        regular(times, regularise=False)
    assert "add the missing rows" not in str(caught.value)
    assert "without a row" not in str(caught.value)


def test_a_wrong_frequency_is_told_the_right_one() -> None:
    times = pd.date_range("2021-01-31", periods=36, freq="ME").as_unit("ns").to_numpy()
    series = Series("x", times, np.zeros((36, 1), np.float32), ("v",))
    with pytest.raises(DataError, match=r"leave out --data\.frequency, which then is 1me"):
        regular_rows(series, parse_frequency("31d"), regularise=False, path="x", place=str)


def test_a_stray_row_does_not_change_the_frequency() -> None:
    times = pd.date_range("2024-01-01", periods=100, freq="h").as_unit("ns").to_numpy().copy()
    times[50] += np.timedelta64(29, "m")
    with pytest.raises(DataError, match=r"line 52: .*but rows are 1h apart"):
        regular(times, regularise=False)


@pytest.mark.parametrize(
    ("first", "offset", "expected"),
    [
        ("2024-03-29", "h", Frequency(3600 * 10**9, "nanosecond")),
        ("2024-03-29", "D", Frequency(1, "day")),
        ("2024-03-29", "W-FRI", Frequency(7, "day")),
        ("2024-04-01", "MS", Frequency(1, "month")),
        ("2024-04-01", "YS-APR", Frequency(12, "month")),
    ],
)
@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("gap", [False, True])
def test_plain_steps_stay_as_they_were(first: str, offset: str, expected: Frequency, timezone: str, gap: bool) -> None:
    local = pd.date_range(first, periods=40, freq=offset, tz=timezone)
    every = local.tz_convert("UTC").tz_localize(None).as_unit("ns").to_numpy()
    kept = np.arange(40) != (17 if gap else 40)
    values = np.arange(40, dtype=np.float32)[:, None]
    series = Series("x", every[kept], values[kept], ("v",), timezone=timezone)
    found = regular_rows(series, None, regularise=gap, path="x", place=str)
    assert (found.frequency, len(found)) == (expected, 40)
    np.testing.assert_array_equal(found.times, every)
    np.testing.assert_array_equal(found.values[:, 0], np.where(kept, values[:, 0], np.float32(np.nan)))
    assert found.notes == (() if not gap else (f"1 of 40 places of the grid of {expected} have no row",))


ANYWHERE = ("2024-01-20T11:00", "2024-01-28T13:00", "2024-02-27T09:00", "2024-03-05T01:00", "2024-03-31T11:00")


@pytest.mark.parametrize(
    ("frequency", "days", "values"),
    [
        ("1mo", ("01-01", "02-01", "03-01"), (0.5, 2, 3.5)),
        ("1me", ("01-31", "02-29", "03-31"), (0.5, 2, 3.5)),
        ("1d", ("01-20", "01-28", "02-27", "03-05", "03-31"), (0, 1, 2, 3, 4)),
        ("1b", ("01-19", "01-26", "02-27", "03-05", "03-29"), (0, 1, 2, 3, 4)),
        ("1w", ("01-20", "01-27", "02-24", "03-02", "03-30"), (0, 1, 2, 3, 4)),
    ],
)
def test_rows_of_no_grid_belong_to_their_day_or_month(
    frequency: str, days: tuple[str, ...], values: tuple[float, ...]
) -> None:
    series = Series("x", np.array(ANYWHERE, "datetime64[ns]"), np.arange(5, dtype=np.float32)[:, None], ("v",))
    found = regular_rows(series, parse_frequency(frequency), regularise=True, path="x", place=str)
    present = np.isfinite(found.values[:, 0])
    assert found.times is not None
    assert [str(time)[5:10] for time in found.times[present]] == list(days)
    assert found.values[present, 0].tolist() == list(values)
