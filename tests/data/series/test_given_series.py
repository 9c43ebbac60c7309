"""Series from Python are read as the same tables in files are, whatever form they come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.given_rows import given_chunks
from rnnapps.data.series.given_series import given_series, given_series_of_splits
from rnnapps.data.series.given_split import split_given
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SplitSeries
from rnnapps.errors import ConfigError, DataError

HOURS = pd.date_range("2024-01-01", periods=40, freq="h")
FRAME = pd.DataFrame({"a": np.arange(40) / 7, "b": np.arange(40.0) ** 2}, index=HOURS)
LONG = pd.concat({"x": FRAME, "y": FRAME + 1}, names=["store", "time"])


def read(given: object, **settings: object) -> list[Series]:
    return given_series(given, SeriesDataConfig(source="memory", **settings))  # type: ignore[arg-type]


def require_equal(one: Series, other: Series) -> None:
    assert (one.channels, one.frequency, one.timezone) == (other.channels, other.frequency, other.timezone)
    for name in ("values", "known", "categories", "static"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.times is not None and other.times is not None
    np.testing.assert_array_equal(one.times, other.times)


def test_a_frame_is_read_as_its_file_is_and_stays_as_it_was(tmp_path: Path) -> None:
    frame = FRAME.rename_axis("time").reset_index().astype({"b": np.float32}).iloc[::-1]
    frame["day"], frame["site"] = ["mo", "tu"] * 20, "north"
    before = frame.copy(deep=True)
    roles = {"known": ("b",), "categorical": ("day",), "static": ("site",)}
    (given,) = read(frame, **roles)
    pd.testing.assert_frame_equal(frame, before)
    frame.to_csv(tmp_path / "table.csv", index=False)
    (from_file,) = read_series(SeriesDataConfig(source=str(tmp_path / "table.csv"), **roles))  # type: ignore[arg-type]
    require_equal(given, from_file)
    assert given.static_texts == ("north",) and given.category_levels == (("mo", "tu"),)
    given.values[:] = 0  # a user's columns are not those of the series
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "form",
    [
        FRAME,
        FRAME.rename_axis("when"),
        FRAME.rename_axis("ds").reset_index(),
        FRAME.set_axis(FRAME.index.to_period("h")),
        FRAME.set_axis(FRAME.index.astype(str)),
        FRAME.tz_localize("UTC").tz_convert("Asia/Tokyo"),
        FRAME.reset_index(names="clock").astype({"a": object, "b": "Float64"}),
        FRAME.reset_index(names="p").assign(p=lambda table: table.p.dt.to_period("h")),
        {"only": FRAME},
        [FRAME],
    ],
)
def test_forms_of_a_series_with_times(form: object) -> None:
    (series,) = read(form)
    require_equal(series, read(FRAME)[0])


def test_an_index_of_times_is_the_time_whatever_its_name_and_the_columns() -> None:
    require_equal(read(FRAME.rename_axis("date"), time="when")[0], read(FRAME)[0])
    assert read(FRAME, time="none")[0].times is None
    with pytest.raises(DataError, match="has a column and a level of its index called 'a'"):
        read(FRAME.rename_axis("a"))


@pytest.mark.parametrize(
    "form",
    [
        LONG,
        LONG.reset_index().rename(columns={"store": "series_id"}),
        pd.concat({"x": FRAME, "y": FRAME + 1}),
        LONG.swaplevel(),
        {"x": FRAME, "y": FRAME + 1},
        {"both": LONG},
    ],
)
def test_forms_of_several_series(form: object) -> None:
    x, y = read(form)
    assert (x.name, y.name) == ("x", "y")
    require_equal(x, read(FRAME)[0])
    require_equal(y, read(FRAME + 1)[0])


def test_levels_of_numbers_name_series_too_in_parquet_files_as_well(tmp_path: Path) -> None:
    numbered = pd.concat({7: FRAME, 9: FRAME + 1}, names=["store", "time"])
    numbered.to_parquet(tmp_path / "stores.parquet")
    for found in (read(numbered), read_series(SeriesDataConfig(source=str(tmp_path / "stores.parquet")))):
        assert [series.name for series in found] == ["7", "9"]
        require_equal(found[0], read(FRAME)[0])
    deep = pd.concat({"north": numbered}, names=["region"])
    with pytest.raises(DataError, match="has the levels 'region', 'store' in its index; say which names the series"):
        read(deep)
    found = read(deep, series="store", static=("region",))
    assert [(series.name, series.static_texts) for series in found] == [("7", ("north",)), ("9", ("north",))]


@pytest.mark.parametrize("form", [[1.0, None, 3.0], np.ma.masked_equal([1.0, 2.0, 3.0], 2), np.array([1, np.nan, 3])])
def test_numbers_without_times(form: object) -> None:
    (series,) = read(form)
    assert series.times is None and series.channels == ("channel_0",)
    np.testing.assert_array_equal(series.values, [[1], [np.nan], [3]])


def test_arrays_take_the_names_of_the_channels() -> None:
    values = FRAME.to_numpy()
    assert read(values)[0].channels == ("channel_0", "channel_1")
    assert read(values, channels=("u", "v"))[0].channels == ("u", "v")
    assert read(pd.Series([1.0, 2.0]), channels=("u",))[0].channels == ("u",)
    assert [series.name for series in read([values, values])] == ["0", "1"]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (5, "memory: is of type int; give a pandas frame or series, an array"),
        (np.zeros((2, 3, 4)), r"memory: is an array of float64, \(2, 3, 4\); give"),
        (np.array(["a", "b"]), r"memory: is an array of <U1, \(2,\); give"),
        ([[1.0], [2.0, 3.0]], "memory: is of type list, and no array of numbers; give"),
        ({}, "memory: holds no series; give"),
        ({"x": {"a": [1]}}, "memory: holds a mapping under 'x'; give"),
        ({"x": FRAME, "y": FRAME[["a"]]}, r"memory\['y'\]: has the columns a, but memory\['x'\] has a, b"),
        (FRAME.iloc[:0], "memory: has columns but no rows"),
        (FRAME.iloc[[0, 1, 3]], r"memory: row 2 \(counted from 0\): 2024-01-01T03"),
        (FRAME.assign(a=["?"] + [1] * 39), r"memory: column 'a' holds text: row 0 \(counted from 0\): '\?'"),
        (FRAME.assign(a=[1, "off"] * 20), r"memory: column 'a' holds text: row 1 \(counted from 0\): 'off'"),
        (FRAME.assign(a=[1, np.inf] * 20), r"row 1 \(counted from 0\), column 'a': the number is infinite"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "memory: has two columns called 'a'; rename one"),
        ("absent.csv", "absent.csv: does not exist"),
    ],
)
def test_wrong_series_are_one_clear_line(form: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        read(form)
    assert "\n" not in str(error.value)


def split(given: object, **settings: object) -> SplitSeries:
    config = SeriesDataConfig(source="memory", **settings)  # type: ignore[arg-type]
    return split_given(given_series_of_splits(given, config), config)


def bounds(splits: SplitSeries) -> list[tuple[int, int]]:
    assert all(len(parts) <= 1 for parts in splits)
    return [(part.start, part.stop) for parts in splits for part in parts]


def test_splits_that_go_on_in_time_look_back_on_those_before() -> None:
    whole = split(FRAME)
    assert bounds(whole) == [(0, 28), (28, 34), (34, 40)]
    apart = split({"train": FRAME[:28], "validation": FRAME[28:34], "test": FRAME[34:]})
    assert bounds(apart) == bounds(whole)
    for one, other in zip(whole, apart, strict=True):
        np.testing.assert_array_equal(one[0].series.values[: one[0].stop], other[0].series.values)
        np.testing.assert_array_equal(one[0].series.times[: one[0].stop], other[0].series.times)


def test_other_splits_begin_series_of_their_own() -> None:
    assert bounds(split({"train": FRAME[:28], "validation": FRAME[29:]})) == [(0, 28), (0, 11)]
    values = FRAME.to_numpy()
    assert bounds(split({"train": values[:30], "test": values[30:]})) == [(0, 26), (26, 30), (0, 10)]
    assert bounds(split({"train": FRAME[:30], "validation": None, "test": FRAME[30:]})) == [(0, 26), (26, 30), (30, 40)]


def test_levels_are_those_of_all_splits() -> None:
    table = FRAME.assign(day=["mo"] * 30 + ["tu"] * 10)
    parts = split({"train": table[:30], "test": table[30:]}, categorical=("day",))
    assert parts.train[0].series.category_levels == parts.test[0].series.category_levels == (("mo", "tu"),)
    assert parts.test[0].rows().categories.tolist() == [[1]] * 10


def test_wrong_splits_are_one_clear_line() -> None:
    with pytest.raises(DataError, match="memory: has the splits dev; name them train, validation, test"):
        split({"train": FRAME, "dev": FRAME})
    with pytest.raises(DataError, match=r"memory\['test'\]: has the columns a, but memory\['train'\] has a, b"):
        split({"train": FRAME[:30], "test": FRAME[["a"]][30:]})
    dates = {"validation_from": "2024-01-01T20:00", "test_from": "2024-01-02"}
    with pytest.raises(ConfigError, match=r"data\.validation_from splits one source in time"):
        split({"train": FRAME[:30], "test": FRAME[30:]}, **dates)
    with pytest.raises(ConfigError, match=r"data\.test_rows splits one source in time"):
        split({"train": FRAME[:30], "test": FRAME[30:]}, test_rows=3)


@pytest.mark.parametrize(
    "rows",
    [
        FRAME,
        [FRAME[:3], FRAME[3:]],
        (row for _, row in FRAME.iterrows()),
        [{"time": time, **row} for time, row in zip(HOURS, FRAME.to_dict("records"), strict=True)],
    ],
)
def test_rows_come_in_chunks(rows: object) -> None:
    tables = list(given_chunks(rows, SeriesDataConfig(channels=("a", "b"))))
    values = pd.concat([table.frame for table in tables])
    np.testing.assert_array_equal(values[["a", "b"]], FRAME.to_numpy())
    assert pd.DatetimeIndex(values["time"]).equals(pd.DatetimeIndex(HOURS))


def test_rows_of_numbers_and_wrong_rows() -> None:
    config = SeriesDataConfig(channels=("a", "b"))
    tables = list(given_chunks(iter([np.array([1, 2]), (3, None), [[5, 6], [7, 8]], {"b": 9, "a": None}]), config))
    values = np.concatenate([table.frame[["a", "b"]].to_numpy() for table in tables])
    np.testing.assert_array_equal(values, [[1, 2], [3, np.nan], [5, 6], [7, 8], [np.nan, 9]])
    assert tables[-1].place(0) == "row 4 (counted from 0)"
    for wrong, message in (
        ({"a": 1}, "memory: is of type dict; give a frame, an array"),
        (["a"], "memory: holds str; give a frame"),
        ([{"a": 1, "b": 2}, {"a": 1, "b": "off"}], r"column 'b' holds text: row 1 \(counted from 0\): 'off'"),
        ([{"a": 1, "b": 2}, {"a": 1}], "memory: has no column 'b'; the nearest is|there are 'a'"),
    ):
        with pytest.raises(DataError, match=message):
            list(given_chunks(wrong, config))


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_frames_of_other_libraries_are_read_as_those_of_pandas(library: str) -> None:
    module = pytest.importorskip(library)
    plain = FRAME.rename_axis("time").reset_index()
    make = module.DataFrame if library == "polars" else module.table
    frame = make({name: plain[name].to_numpy() for name in plain.columns})
    (series,) = read(frame)
    require_equal(series, read(plain)[0])
    assert [one.name for one in read([frame, frame])] == ["0", "1"]
    assert [one.name for one in read({"x": frame, "y": plain})] == ["x", "y"]


def test_a_column_of_arrow_is_one_channel() -> None:
    column = pa.chunked_array([[1.0, None], [3.0]])
    for channels in (("value",), ("load",)):
        (series,) = read(column, channels=channels)
        assert series.channels == channels
        np.testing.assert_array_equal(series.values[:, 0], [1, np.nan, 3])


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_frames_of_other_libraries_are_rows_by_the_names_of_their_columns(library: str) -> None:
    module = pytest.importorskip(library)
    frame = (module.DataFrame if library == "polars" else module.table)({"b": [2.0, 4.0], "a": [1.0, 3.0]})
    for given, rows in ((frame, [[1, 2], [3, 4]]), ([frame, frame], [[1, 2], [3, 4]] * 2)):
        tables = list(given_chunks(given, SeriesDataConfig(channels=("a", "b"))))
        values = np.concatenate([table.frame[["a", "b"]].to_numpy() for table in tables])
        np.testing.assert_array_equal(values, rows)
