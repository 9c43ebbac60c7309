"""Columns of numbers that are times are read as times, or a person is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.given_series import given_series
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series

FIRST = 1_704_067_200
"""2024-01-01 in UTC."""


def read(path: Path, header: str, rows: list[str], **settings: str) -> Series:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(path), **settings))  # type: ignore[arg-type]
    return series


@pytest.mark.parametrize("name", ["ts", "t", "epoch", "unixTime", "time", "start_time"])
def test_unix_seconds_with_decimals(tmp_path: Path, name: str) -> None:
    rows = [f"{FIRST + row / 10:.1f},{row}" for row in range(100)]
    series = read(tmp_path / "x.csv", f"{name},value", rows)
    assert (series.channels, str(series.frequency), len(series)) == (("value",), "100ms", 100)
    expected = np.datetime64("2024-01-01", "ns") + (np.arange(100) * 10**8).astype("timedelta64[ns]")
    np.testing.assert_array_equal(series.times, expected)
    np.testing.assert_array_equal(series.values[:, 0], np.arange(100))


@pytest.mark.parametrize(("size", "digits"), [(1, 0), (10**3, 3), (10**6, 6), (10**9, 9)])
def test_units_of_unix_times(tmp_path: Path, size: int, digits: int) -> None:
    rows = [f"{(FIRST + 60 * row) * size},{row}" for row in range(12)]
    series = read(tmp_path / "x.csv", "ts,value", rows)
    assert (series.channels, str(series.frequency)) == (("value",), "1min"), digits
    assert series.times is not None and str(series.times[0])[:16] == "2024-01-01T00:00"


def test_a_frame_has_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ts": FIRST + np.arange(100) / 10, "value": np.arange(100)})
    (series,) = given_series(frame, SeriesDataConfig())
    assert (series.channels, str(series.frequency)) == (("value",), "100ms")
    frame.to_parquet(tmp_path / "x.parquet")
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.parquet")))
    assert (series.channels, str(series.frequency)) == (("value",), "100ms")


def test_numbers_that_may_be_times_are_told(tmp_path: Path) -> None:
    meter = read(tmp_path / "meter.csv", "counter,value", [f"{FIRST + row},{row}" for row in range(9)])
    assert meter.channels == ("counter", "value")
    assert any("'counter' looks like Unix times" in note and "--data.time counter" in note for note in meter.notes)
    years = read(tmp_path / "years.csv", "YEAR,spots", [f"{1700 + row},{row}" for row in range(9)])
    assert any("'YEAR' looks like years" in note and "--data.time_format %Y" in note for note in years.notes)
    told = read(tmp_path / "years.csv", "YEAR,spots", [f"{1700 + row},{row}" for row in range(9)], time="none")
    assert not any("looks like" in note for note in told.notes)


def test_the_remedy_for_years_reads_them(tmp_path: Path) -> None:
    rows = [f"{1700 + row},{row}" for row in range(9)]
    series = read(tmp_path / "years.csv", "YEAR,spots", rows, time="YEAR", time_format="%Y")
    assert (series.channels, str(series.frequency)) == (("spots",), "1y")


@pytest.mark.parametrize(
    "cells",
    [
        ["5", "3", "4"],
        ["1700000000", "12", "13"],
        ["1999999999", "5000000000", "1"],
        ["2024010122", "2024010123", "2024010200"],
    ],
)
def test_other_numbers_are_channels(tmp_path: Path, cells: list[str]) -> None:
    series = read(tmp_path / "x.csv", "ts,value", [f"{cell},1" for cell in cells])
    assert series.times is None
    assert series.channels == ("ts", "value")
    assert not any("looks like" in note for note in series.notes)
