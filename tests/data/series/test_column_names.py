"""Columns that settings name by number, and several that say one thing together."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.given_series import given_series
from rnnapps.data.series.likely_keys import MOST_TRIED, likely_keys
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.row_stream import RowStream
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError

HOURS = pd.date_range("2025-01-30", periods=60, freq="h")


def read(path: Path, text: str, **settings: Any) -> list[Series]:
    path.write_text(text, encoding="utf-8")
    return read_series(SeriesDataConfig(source=str(path), **settings))


@pytest.mark.parametrize(("day", "clock"), [("%Y-%m-%d", "%H:%M"), ("%d.%m.%Y", "%H:%M:%S"), ("%m/%d/%Y", "%I:%M %p")])
@pytest.mark.parametrize("names", ["date,time", "Datum,Uhrzeit"])
def test_a_day_and_a_time_of_day_are_the_time(tmp_path: Path, day: str, clock: str, names: str) -> None:
    rows = [f"{time.strftime(day)},{time.strftime(clock)},{row}" for row, time in enumerate(HOURS)]
    (series,) = read(tmp_path / "x.csv", "\n".join([f"{names},load", *rows]))
    assert series.times is not None and series.channels == ("load",)
    np.testing.assert_array_equal(series.times, HOURS.to_numpy("datetime64[ns]"))
    first, second = names.split(",")
    assert f"columns {first!r} and {second!r} together are read as the time" in series.notes
    assert series.rules["time"] == names.replace(",", "+")


def test_a_frame_may_hold_a_day_and_a_time_of_day() -> None:
    frame = pd.DataFrame({"day": HOURS.normalize(), "at": [time.time() for time in HOURS], "load": np.arange(60.0)})
    assert isinstance(frame["at"].iloc[0], datetime.time)
    (series,) = given_series(frame, SeriesDataConfig())
    np.testing.assert_array_equal(series.times, HOURS.to_numpy("datetime64[ns]"))


def test_an_hour_in_a_column_of_its_own_is_asked_for(tmp_path: Path) -> None:
    text = "\n".join(["Date,Hour,load", *(f"{time:%Y-%m-%d},{time.hour},{row}" for row, time in enumerate(HOURS))])
    (series,) = read(tmp_path / "x.csv", text, time="Date+Hour")
    np.testing.assert_array_equal(series.times, HOURS.to_numpy("datetime64[ns]"))
    assert series.channels == ("load",)


DAYS = pd.date_range("2025-01-01", periods=20, freq="D")
KEYS = [(store, family) for store in (1, 2) for family in ("BREAD", "EGGS")]
LONG = "\n".join(
    [
        "date,store_nbr,family,sales,onpromotion",
        *(f"{day:%Y-%m-%d},{s},{f},{s + i},{i % 2}" for s, f in KEYS for i, day in enumerate(DAYS)),
    ]
)


def test_two_columns_name_the_series(tmp_path: Path) -> None:
    found = read(tmp_path / "x.csv", LONG, series="store_nbr+family", known=("onpromotion",))
    assert [series.name for series in found] == ["1/BREAD", "1/EGGS", "2/BREAD", "2/EGGS"]
    for (store, _), series in zip(KEYS, found, strict=True):
        np.testing.assert_array_equal(series.values[:, 0], store + np.arange(20))
        assert series.channels == ("sales",) and series.known_names == ("onpromotion",)
        np.testing.assert_array_equal(series.times, DAYS.to_numpy("datetime64[ns]"))


def test_columns_that_may_name_the_series_are_proposed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"if it names the series: --data\.series store_nbr\+family; else"):
        read(tmp_path / "x.csv", LONG)
    rows = [f"{day:%Y-%m-%d},{family},{i}" for family in ("BREAD", "EGGS") for i, day in enumerate(DAYS)]
    one = "\n".join(["date,family,sales", *rows])
    with pytest.raises(DataError, match=r"if it names the series: --data\.series family; else"):
        read(tmp_path / "x.csv", one)


def test_numbers_that_may_name_the_series_are_proposed_where_times_repeat(tmp_path: Path) -> None:
    rows = [f"{day:%Y-%m-%d},{store},{i + store / 7}" for i, day in enumerate(DAYS) for store in (1, 2)]
    text = "\n".join(["date,store,sales", *rows])
    told = r"line 3: the time .* occurs twice, .*; if the rows are of several series: --data\.series store; else remove"
    with pytest.raises(DataError, match=told):
        read(tmp_path / "x.csv", text)
    assert [series.name for series in read(tmp_path / "x.csv", text, series="store")] == ["1", "2"]


def test_columns_that_may_name_the_series_are_not_looked_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred columns of codes no three tell rows of one time apart: that takes four, or nothing does."""
    keys = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    codes = pd.DataFrame(np.tile(np.hstack([keys, np.zeros((16, 96), int)]), (5, 1))).add_prefix("code_")
    frame = codes.assign(time=np.repeat(DAYS[:5], 16))
    plain, tried = pd.DataFrame.duplicated, []
    monkeypatch.setattr(
        pd.DataFrame, "duplicated", lambda own, *how, **more: tried.append(1) or plain(own, *how, **more)
    )
    for sample in (frame, pd.concat([frame, frame])):
        tried.clear()
        assert likely_keys(sample, SeriesDataConfig(), texts=(), times=("time",)) == ""
        assert len(tried) <= MOST_TRIED + 2
    few = frame[["time", "code_9", "code_1", "code_2", "code_3"]].drop_duplicates()
    assert likely_keys(few, SeriesDataConfig(), texts=(), times=("time",)) == "code_1+code_2+code_3"


def test_names_that_would_be_one_are_refused(tmp_path: Path) -> None:
    text = "date,a,b,v\n2025-01-01,x/y,z,1\n2025-01-01,x,y/z,2\n"
    with pytest.raises(DataError, match=r"line 3: the name 'x/y/z' stands for two series"):
        read(tmp_path / "x.csv", text, series="a+b")


def test_columns_may_be_counted(tmp_path: Path) -> None:
    found = read(tmp_path / "x.csv", LONG, time="1", series="2+3", channels=("4",), known=("5",))
    named = read(
        tmp_path / "y.csv", LONG, time="date", series="store_nbr+family", channels=("sales",), known=("onpromotion",)
    )
    assert [series.name for series in found] == [series.name for series in named]
    assert (found[0].channels, found[0].known_names) == (("sales",), ("onpromotion",))
    assert found[0].rules["series"] == "store_nbr+family"
    with pytest.raises(DataError, match="has no column '6'; there are 'date', 'store_nbr'"):
        read(tmp_path / "x.csv", LONG, channels=("6",))


def test_a_column_that_is_called_by_a_number_or_holds_a_plus_is_meant() -> None:
    frame = pd.DataFrame({"time": DAYS, "2": np.arange(20), "1": np.arange(20) + 50, "a+b": np.arange(20) + 90})
    (series,) = given_series(frame, SeriesDataConfig(channels=("2", "a+b")))
    np.testing.assert_array_equal(series.values[0], [0, 90])


def test_a_stream_joins_columns_as_training_did(tmp_path: Path) -> None:
    rows = [f"{time:%d.%m.%Y},{time:%H:%M},{key},{row}" for key in ("a", "b") for row, time in enumerate(HOURS)]
    text = "\n".join(["Datum,Uhrzeit,shop,load", *rows])
    config = SeriesDataConfig(source=str(tmp_path / "x.csv"), series="shop")
    (tmp_path / "x.csv").write_text(text)
    first = read_series(config)[0]
    rules = RowRules(config, first.channels, first.rules)
    found = list(RowStream(rules, RowOptions(), StreamMemory()).lines(config.source))
    assert [row.series for row in found] == ["a"] * 60 + ["b"] * 60
    times = np.array([row.time for row in found[:60]], "datetime64[ns]")
    np.testing.assert_array_equal(times, HOURS.to_numpy("datetime64[ns]"))


def test_a_stream_knows_what_counted_columns_were_called(tmp_path: Path) -> None:
    """In another order too: the numbers were those of the training data."""
    (tmp_path / "x.csv").write_text(LONG)
    config = SeriesDataConfig(source=str(tmp_path / "x.csv"), time="1", series="2+3", channels=("4",))
    first = read_series(config)[0]
    rows = [f"{s},{s + i},{day:%Y-%m-%d},{f}" for s, f in KEYS for i, day in enumerate(DAYS)]
    (tmp_path / "y.csv").write_text("\n".join(["store_nbr,sales,date,family", *rows]))
    rules = RowRules(config, first.channels, first.rules)
    found = list(RowStream(rules, RowOptions(), StreamMemory()).lines(str(tmp_path / "y.csv")))
    assert [row.series for row in found[::20]] == ["1/BREAD", "1/EGGS", "2/BREAD", "2/EGGS"]
    np.testing.assert_array_equal([row.values[0] for row in found[:20]], 1 + np.arange(20))


def test_an_index_of_pandas_is_the_time_or_is_left_out(tmp_path: Path) -> None:
    frame = pd.DataFrame({"load": np.arange(60.0), "temp": 1.5}, index=HOURS)
    frame.to_csv(tmp_path / "times.csv")
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "times.csv")))
    assert (series.channels, str(series.frequency)) == (("load", "temp"), "1h")
    frame.rename_axis("time").reset_index().to_csv(tmp_path / "counts.csv")
    (counted,) = read_series(SeriesDataConfig(source=str(tmp_path / "counts.csv")))
    assert counted.channels == ("load", "temp")
    assert any("counts the rows: it is left out" in note for note in counted.notes)
    (asked,) = read_series(SeriesDataConfig(source=str(tmp_path / "counts.csv"), channels=("index",)))
    np.testing.assert_array_equal(asked.values[:, 0], np.arange(60))
    thirds = frame.set_index(pd.Index(3 * np.arange(60)))
    thirds.to_csv(tmp_path / "x.csv")
    (other,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.csv")))
    assert other.channels == ("index", "load", "temp"), "every third row is something else"
    rules = RowRules(SeriesDataConfig(), series.channels, series.rules)
    rows = list(RowStream(rules, RowOptions(), StreamMemory()).lines(str(tmp_path / "times.csv")))
    np.testing.assert_array_equal([row.time for row in rows], HOURS.to_numpy("datetime64[ns]"))
