"""Series are read as they stand in the file, split in time, and never mixed across the split."""

from __future__ import annotations

import dataclasses
import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency, parse_frequency
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SeriesPart, split_in_time
from rnnapps.data.series.split_notes import split_notes
from rnnapps.data.series.windows import StoredSeries
from rnnapps.errors import ConfigError, DataError


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def read_one(path: Path, text: str, **settings: object) -> Series:
    (series,) = read_series(SeriesDataConfig(source=write(path, text), **settings))  # type: ignore[arg-type]
    return series


def test_a_wide_table(tmp_path: Path) -> None:
    text = "date,a,b\n2024-01-01 00:00,1,2.5\n2024-01-01 01:00,,-3e2\n2024-01-01 02:00,NA,4\n"
    series = read_one(tmp_path / "load.csv", text)
    assert (series.name, series.channels, series.frequency) == (
        "load",
        ("a", "b"),
        Frequency(3600 * 10**9, "nanosecond"),
    )
    np.testing.assert_array_equal(series.values, np.array([[1, 2.5], [np.nan, -300], [np.nan, 4]], np.float32))
    assert series.times is not None
    assert [str(time) for time in series.times[:2]] == [
        "2024-01-01T00:00:00.000000000",
        "2024-01-01T01:00:00.000000000",
    ]
    assert "channel 'a': 2 of 3 values are missing (66.7%)" in series.notes


def test_a_long_table_with_everything(tmp_path: Path) -> None:
    text = (
        "series_id,time,load,price,holiday,area,kind,fault\n"
        "x,2024-01-01,1,10,none,5.5,flat,0\ny,2024-01-01,7,20,none,6.5,house,1\n"
        "x,2024-01-02,2,11,new year,5.5,flat,\ny,2024-01-02,,21,,6.5,house,1\n"
    )
    x, y = read_series(
        SeriesDataConfig(
            source=write(tmp_path / "all.csv", text),
            channels=("load",),
            known=("price",),
            categorical=("holiday",),
            static=("area", "kind"),
            label="fault",
        )
    )
    assert (x.name, y.name, x.frequency) == ("x", "y", Frequency(1, "day"))
    np.testing.assert_array_equal(y.values[:, 0], np.array([7, np.nan], np.float32))
    np.testing.assert_array_equal(x.known, [[10], [11]])
    assert x.category_levels == (("new year", "none"),) == y.category_levels
    assert (x.categories[:, 0].tolist(), y.categories[:, 0].tolist()) == ([1, 0], [1, -1])
    assert (x.static.tolist(), x.static_texts, y.static_texts) == ([5.5], ("flat",), ("house",))
    assert x.labels is not None and x.labels.tolist() == [0, -1]


def test_a_folder_is_many_series(tmp_path: Path) -> None:
    for name, value in (("b", 2), ("a", 1)):
        write(tmp_path / f"{name}.csv", f"t;v\n2024-01-01;{value},5\n2024-01-02;{value},25\n")
    found = read_series(SeriesDataConfig(source=str(tmp_path)))
    assert [(each.name, each.values[:, 0].tolist()) for each in found] == [("a", [1.5, 1.25]), ("b", [2.5, 2.25])]
    write(tmp_path / "c.csv", "t;w\n2024-01-01;1\n")
    with pytest.raises(DataError, match=r"c\.csv: has the columns w, but .*a\.csv has v"):
        read_series(SeriesDataConfig(source=str(tmp_path)))


def test_parquet_is_read_as_csv(tmp_path: Path) -> None:
    times = pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Berlin")
    pd.DataFrame({"when": times, "v": [1, 2, 3, 4], "w": [0.5, None, 1.5, 2.5]}).to_parquet(tmp_path / "x.parquet")
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.parquet"), timezone="Europe/Berlin"))
    assert series.channels == ("v", "w")
    assert series.frequency == Frequency(1, "day")
    np.testing.assert_array_equal(series.values[:, 1], np.array([0.5, np.nan, 1.5, 2.5], np.float32))


def test_without_times_rows_are_steps(tmp_path: Path) -> None:
    series = read_one(tmp_path / "x.csv", "v\n1\n2\n\n3\n")
    assert series.times is None
    assert series.values[:, 0].tolist() == [1, 2, 3]


def test_newest_first_is_sorted_and_said(tmp_path: Path) -> None:
    series = read_one(tmp_path / "x.csv", "date,v\n2024-01-03,3\n2024-01-02,2\n2024-01-01,1\n")
    assert series.values[:, 0].tolist() == [1, 2, 3]
    assert "rows were sorted by time" in series.notes


BERLIN = {"timezone": "Europe/Berlin"}


def test_an_hour_that_comes_twice_is_read_twice(tmp_path: Path) -> None:
    hours = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    series = read_one(
        tmp_path / "x.csv", "date,v\n" + "".join(f"{hour},{n}\n" for n, hour in enumerate(hours)), **BERLIN
    )
    assert series.times is not None
    utc = [str(time)[11:16] for time in series.times]
    assert utc == ["23:00", "00:00", "01:00", "02:00"]


def test_an_hour_that_comes_twice_but_is_there_once_is_refused(tmp_path: Path) -> None:
    text = "date,v\n2024-10-27 01:00,1\n2024-10-27 02:00,2\n2024-10-27 03:00,3\n"
    with pytest.raises(DataError, match=r"line 3: 2024-10-27 02:00:00 comes twice in Europe/Berlin"):
        read_one(tmp_path / "x.csv", text, **BERLIN)


def test_an_hour_that_clocks_skip_is_refused(tmp_path: Path) -> None:
    text = "date,v\n2024-03-31 01:00,1\n2024-03-31 02:30,2\n"
    with pytest.raises(DataError, match=r"line 3: 2024-03-31 02:30:00 does not exist in Europe/Berlin"):
        read_one(tmp_path / "x.csv", text, **BERLIN)


def test_offsets_in_the_file_need_no_time_zone(tmp_path: Path) -> None:
    text = "date,v\n2024-03-31T01:00+01:00,1\n2024-03-31T03:00+02:00,2\n2024-03-31T04:00+02:00,3\n"
    series = read_one(tmp_path / "x.csv", text)
    assert series.frequency == parse_frequency("1h")


@pytest.mark.parametrize(
    ("first", "count", "offset", "expected"),
    [
        ("2024-03-29", 4, "D", "1d"),
        ("2024-01-01", 5, "MS", "1mo"),
        ("2020-01-01", 4, "YS", "1y"),
        ("2024-01-06", 4, "W-SAT", "1w"),
        ("2024-01-01", 9, "15min", "15min"),
        ("2024-01-01", 9, "250ms", "250ms"),
    ],
)
def test_frequencies_are_found_on_the_calendar(
    tmp_path: Path, first: str, count: int, offset: str, expected: str
) -> None:
    local = pd.date_range(first, periods=count, freq=offset)
    text = "date,v\n" + "".join(f"{time},1\n" for time in local)
    assert str(read_one(tmp_path / "x.csv", text, **BERLIN).frequency) == expected


GAPS = "date,v\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 03:00,3\n2024-01-01 03:20,5\n2024-01-01 05:00,6\n"


def test_gaps_are_refused_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 4: 2024-01-01T03:00.* follows 2024-01-01T01:00.*but rows are 1h apart"):
        read_one(tmp_path / "x.csv", GAPS, frequency="1h")


def test_gaps_become_missing_on_the_grid(tmp_path: Path) -> None:
    series = read_one(tmp_path / "x.csv", GAPS, frequency="1h", irregular="regularise")
    np.testing.assert_array_equal(series.values[:, 0], np.array([1, 2, np.nan, 4, np.nan, 6], np.float32))
    assert "1 rows were moved to the grid of 1h" in series.notes
    assert "2 of 6 places of the grid of 1h have no row" in series.notes


def test_a_daily_grid_keeps_local_midnight(tmp_path: Path) -> None:
    text = "date,v\n2024-03-30,1\n2024-03-31,2\n2024-04-02,4\n"
    series = read_one(tmp_path / "x.csv", text, frequency="1d", irregular="regularise", **BERLIN)
    assert series.times is not None
    assert [str(time)[5:16] for time in series.times] == ["03-29T23:00", "03-30T23:00", "03-31T22:00", "04-01T22:00"]
    np.testing.assert_array_equal(series.values[:, 0], np.array([1, 2, np.nan, 4], np.float32))


TWICE = "date,v\n2024-01-01,1\n2024-01-02,2\n2024-01-02,4\n2024-01-03,3\n"


@pytest.mark.parametrize(("policy", "expected"), [("first", 2), ("last", 4), ("mean", 3)])
def test_duplicates_by_policy(tmp_path: Path, policy: str, expected: float) -> None:
    series = read_one(tmp_path / "x.csv", TWICE, duplicates=policy)
    assert series.values[:, 0].tolist() == [1, expected, 3]


def test_duplicates_are_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 4: the time 2024-01-02.* occurs twice, first at line 3"):
        read_one(tmp_path / "x.csv", TWICE)


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("date,v\n2024-01-01,1\n2024-01-02,x\n", {}, r"column 'v' holds text: line 3: 'x'"),
        (
            "date;v\n2024-01-01;1,5\n2024-01-02;2.5\n",
            {},
            r"column 'v' holds text: line 2: '1,5', while its numbers have",
        ),
        ("date,v\n2024-01-01,1\n2024-01-02\n", {}, r"line 3: 1 column, but the header names 2"),
        ("date,v\n2024-01-01,1,2\n", {}, r"line 2: 3 columns, but the header names 2"),
        ("date:v\n2024-01-01:1\n2024-01-02:2\n", {}, r"column 'date:v' holds text: line 2: '2024-01-01:1'"),
        ("2024-01-01,1\n2024-01-02,2\n", {}, r"line 1 holds the number '1' where column names are expected"),
        ("date,v\n", {}, r"has column names but no rows"),
        ("", {}, r"is empty"),
        ("date,v,v\n2024-01-01,1,2\n", {}, r"line 1: the name 'v' occurs twice"),
        ("date,v,\n2024-01-01,1,2\n", {}, r"line 1: column 3 has no name"),
        ("date,v\n2024-01-01,1\nyesterday,2\n", {}, r"line 3, column 'date': 'yesterday' is no time in ISO 8601"),
        ("date,v\n01/02/2024,1\n05/03/2024,2\n", {}, r"line 2.*one of '%d/%m/%Y', '%m/%d/%Y', which both fit"),
        ("date,v\n2024-01-01,1\n,2\n", {}, r"line 3, column 'date': the timestamp is missing"),
        ("date,v\n2024-01-01T00:00Z,1\n2024-01-01 01:00,2\n", {}, r"line 3.*names no offset from UTC, others do"),
        ("date,v\n2999-01-01,1\n", {}, r"line 2, column 'date': .*outside of the years 1678 to 2261"),
        ("date,v\n2024-01-01,1e39\n", {}, r"line 2, column 'v': the number is infinite or above"),
        ("date,v\n2024-01-01,1\n", {"channels": ("w",)}, r"has no column 'w'"),
        ("date,v,s\n2024-01-01,1,a\n2024-01-02,1,b\n", {"static": ("s",)}, r"column 's': expected one value, found 2"),
        ("date,v,y\n2024-01-01,1,0.5\n", {"label": "y"}, r"line 2, column 'y': the label 0.5 is no whole number"),
        ("t,v\n170000000,1\n170003600,2\n", {"time": "t"}, r"line 2, column 't'.*give --data.time_format unix_s"),
    ],
)
def test_bad_tables_are_one_clear_line(tmp_path: Path, text: str, settings: dict[str, object], message: str) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(DataError) as caught:
        read_one(path, text, **settings)
    assert str(caught.value).startswith(f"{path}: ")
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"date,v\n2024-01-01,1\n2024-01-02,\xff\n", r"line 3: is not UTF-8 text"),
        (b"\xff\xfed\0", r"has column names but no rows"),
        (b"PK\0\0", r"looks binary"),
        (gzip.compress(b"date,v\n2024-01-01,\xff\n", mtime=0), r"line 2: is not UTF-8 text"),
        (b"date,v\r2024-01-01,1\r", r"old Macintosh"),
    ],
)
def test_what_is_no_text_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_series(SeriesDataConfig(source=str(tmp_path / "x.csv")))


def test_quotes_and_windows_line_ends(tmp_path: Path) -> None:
    series = read_one(tmp_path / "x.csv", '\ufeff"date","v, w"\r\n"2024-01-01","1.5"\r\n"2024-01-02","2.5"\r\n')
    assert series.channels == ("v, w",)
    assert series.values[:, 0].tolist() == [1.5, 2.5]


def test_unix_times(tmp_path: Path) -> None:
    series = read_one(tmp_path / "x.csv", "t,v\n1700000000,1\n1700003600,2\n", time="t", time_format="unix_s")
    assert series.times is not None and str(series.times[0]) == "2023-11-14T22:13:20.000000000"


def hourly(name: str, rows: int, start: str = "2024-01-01") -> Series:
    times = np.datetime64(start, "ns") + np.arange(rows) * np.timedelta64(3600 * 10**9, "ns")
    values = np.arange(rows, dtype=np.float32)[:, None]
    return Series(name, times, values, ("v",), frequency=parse_frequency("1h"))


def test_series_are_split_at_the_same_moments() -> None:
    late, early = hourly("late", 100, "2024-01-03"), hourly("early", 100)
    split = split_in_time([late, early], SeriesDataConfig(validation_fraction=0.2, test_fraction=0.2))
    ends = [max(part.rows().times[-1] for part in parts) for parts in split]
    starts = [min(part.rows().times[0] for part in parts) for parts in split]
    assert ends[0] < starts[1] <= ends[1] < starts[2]
    assert sum(len(part) for parts in split for part in parts) == 200


def test_dates_split_as_they_say() -> None:
    config = SeriesDataConfig(validation_from="2024-01-02", test_from="2024-01-03", until="2024-01-04T12:00")
    split = split_in_time([hourly("x", 200)], config)
    assert [(part.start, part.stop) for parts in split for part in parts] == [(0, 24), (24, 48), (48, 84)]


def test_series_without_times_are_split_by_rows() -> None:
    series = Series("x", None, np.zeros((10, 1), np.float32), ("v",))
    split = split_in_time([series], SeriesDataConfig(validation_fraction=0.2, test_fraction=0.0))
    assert [[len(part) for part in parts] for parts in split] == [[8], [2], []]
    with pytest.raises(DataError, match=r"no times to split by"):
        split_in_time([series], SeriesDataConfig(validation_from="2024-01-02", test_from="2024-01-03"))


def test_each_series_has_its_own_last_rows_held_out() -> None:
    """Whatever the others' times and lengths are, as in forecasting competitions."""
    late, early, timeless = hourly("late", 30, "2025-01-01"), hourly("early", 100), hourly("timeless", 20)
    timeless = dataclasses.replace(timeless, times=None, frequency=None)
    series, config = [late, early, timeless], SeriesDataConfig(test_rows=6, validation_rows=4)
    split = split_in_time(series, config)
    assert [[(part.start, part.stop) for part in parts] for parts in split] == [
        [(0, 20), (0, 90), (0, 10)],
        [(20, 24), (90, 94), (10, 14)],
        [(24, 30), (94, 100), (14, 20)],
    ]
    # A horizon of as many rows is one window a series, at its very end.
    windows = StoredSeries(split.test, history_steps=8, horizon_steps=6)
    assert windows.first_origins.tolist() == [24, 94, 14] and windows.counts.tolist() == [1, 1, 1]
    assert not split_notes([late, dataclasses.replace(early, frequency=parse_frequency("2h"))], config)
    until = SeriesDataConfig(test_rows=6, until="2024-01-03")
    assert [(part.start, part.stop) for parts in split_in_time([early], until) for part in parts] == [
        *((0, 36), (36, 42), (42, 48))
    ]


def test_series_that_are_too_short_to_hold_rows_out_are_named() -> None:
    series = [hourly("long", 100), hourly("short", 12), hourly("tiny", 1)]
    with pytest.raises(DataError, match=r"'short' has 12 rows, of which 6 \+ 6 .*, and 1 more .* --data\.test_rows"):
        split_in_time(series, SeriesDataConfig(test_rows=6))
    assert len(split_in_time(series[:2], SeriesDataConfig(test_rows=6, validation_rows=5)).train) == 2


def test_a_split_without_training_rows_is_refused() -> None:
    with pytest.raises(DataError, match=r"leaves no row for training"):
        split_in_time([hourly("x", 1)], SeriesDataConfig(validation_fraction=0.7))


def test_parts_give_their_own_rows_only() -> None:
    part = SeriesPart(hourly("x", 10), 3, 5)
    assert part.rows().values[:, 0].tolist() == [3, 4]


@pytest.mark.parametrize(
    "settings",
    [
        {"validation_fraction": 0.0},
        {"validation_fraction": 0.6, "test_fraction": 0.4},
        {"test_from": "2024-01-01"},
        {"validation_from": "2024-01-02", "test_from": "2024-01-01"},
        {"validation_rows": 3},
        {"second_season_steps": 336},
        {"season_steps": 48, "second_season_steps": 48},
        {"test_rows": -1},
        {"test_rows": 3, "validation_from": "2024-01-01", "test_from": "2024-01-02"},
        {"validation_from": "soon", "test_from": "later"},
        {"channels": ("a",), "known": ("a",)},
        {"timezone": "Mars/Olympus"},
        {"separator": ";;"},
        {"irregular": "ignore"},
    ],
)
def test_wrong_settings(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"^data"):
        SeriesDataConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "season"), [("1h", 24), ("15min", 96), ("1d", 7), ("1w", 52), ("1mo", 12), ("1y", 1)])
def test_seasons_of_frequencies(text: str, season: int) -> None:
    assert parse_frequency(text).season_steps == season
    assert str(parse_frequency(text)) == text


@pytest.mark.parametrize("text", ["", "0h", "h1", "1x", "-1h"])
def test_wrong_frequencies(text: str) -> None:
    with pytest.raises(ConfigError, match=r"data\.frequency"):
        parse_frequency(text)
