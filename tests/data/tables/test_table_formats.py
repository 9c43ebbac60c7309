"""Tables of other formats than CSV give the same series, bit by bit, or one line with the place of what is wrong."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.data.series.table_file import read_table
from rnnapps.data.tables.readers import table_suffixes
from rnnapps.errors import DataError

HOURS = pd.date_range("2024-03-30", periods=30, freq="h")


def read(path: Path, **settings: Any) -> list[Series]:
    return read_series(SeriesDataConfig(source=str(path), **settings))


def _sqlite(frame: pd.DataFrame, path: Path) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        frame.assign(time=frame["time"].astype(str)).to_sql("readings", connection, index=False)


def _excel(frame: pd.DataFrame, path: Path) -> None:
    pytest.importorskip("python_calamine")
    pytest.importorskip("xlsxwriter")
    frame.to_excel(path, index=False, engine="xlsxwriter")


def _json_lines(frame: pd.DataFrame, path: Path) -> None:
    texts = frame.assign(time=frame["time"].astype(str)).to_dict(orient="records")
    path.write_text("\n".join(json.dumps(row) for row in texts))


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "x.feather": lambda frame, path: frame.to_feather(path),
    "x.arrow": lambda frame, path: frame.to_feather(path, compression="zstd"),
    "x.parquet": lambda frame, path: frame.to_parquet(path),
    "rows.json": lambda frame, path: frame.to_json(path, orient="records", date_format="iso", double_precision=15),
    "split.json": lambda frame, path: frame.to_json(path, orient="split", date_format="iso", double_precision=15),
    "columns.json": lambda frame, path: frame.to_json(path, date_format="iso", double_precision=15),
    "x.jsonl": _json_lines,
    "x.sqlite": _sqlite,
    "x.xlsx": _excel,
}
"""A file of each format, as other libraries write it."""

NUMBERS = st.one_of(
    st.just(float("nan")),
    st.integers(-(10**9), 10**9).map(float),
    st.integers(-(10**9), 10**9).map(lambda number: number / 64),
)


@pytest.mark.parametrize("name", WRITERS)
@given(values=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=8))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_other_libraries_write_is_read_back(tmp_path: Path, name: str, values: list[tuple[float, float]]) -> None:
    frame = pd.DataFrame(values, columns=["load", "kW max"]).assign(time=HOURS[: len(values)])
    frame.iloc[0, :2] = [1.25, -2.0]  # not all missing
    WRITERS[name](frame, tmp_path / name)
    (series,) = read(tmp_path / name)
    assert series.channels == ("load", "kW max") and str(series.frequency) == "1h"
    np.testing.assert_array_equal(series.times, HOURS[: len(values)].to_numpy("datetime64[ns]"))
    np.testing.assert_array_equal(series.values, frame[["load", "kW max"]].to_numpy())


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"time": "2024-01-01", "v": 1}\n{"time": "2024-01-02", "v": "x"}\n', "column 'v' holds text: line 2: 'x'"),
        ('{"time": "2024-01-01", "v": 1}\n{"time": \n', r"line 2, column 10: is no JSON \(Expecting value\)"),
        ('{"time": "2024-01-01", "v": 1}\n{}\n3\n', "line 3: expected an object, found '3'"),
        ('[{"time": "2024-01-01", "v": 1}, 3]', "row 2: expected an object, found '3'; give rows"),
        ('{"time": ["2024-01-01", "2024-01-02"], "v": [1]}', "column 'v' has 1 values, but 'time' has 2"),
        ('{"a": [{"v": 1}], "b": [{"v": 2}]}', "holds 2 lists of rows; choose one with --data.table: a, b"),
        ('[{"v": 1, "v": 2}]', "line 1: the key 'v' occurs twice in an object"),
        ("[" * 100_000, "line 1: objects lie too deep"),
        ('[{"v": ' + "9" * 400 + "}]", "row 1, column 'v': the number is infinite or above"),
        ("[]", "holds no rows|is no JSON"),
    ],
)
def test_wrong_json_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told) as error:
        read(write(tmp_path / "x.json", text))
    assert "\n" not in str(error.value)


def test_json_of_web_services(tmp_path: Path) -> None:
    """Rows within an object, numbers as texts, codes that are none, and objects that are left out."""
    rows = [{"ts": 1704067200 + 60 * row, "v": f"{row}.5", "code": "007", "at": {"x": row}} for row in range(5)]
    path = write(tmp_path / "x.json", json.dumps({"status": "ok", "data": rows}))
    (series,) = read(path, categorical=("code",))
    assert (series.channels, series.category_levels, str(series.frequency)) == (("v",), (("007",),), "1min")
    np.testing.assert_array_equal(series.values[:, 0], np.arange(5) + 0.5)
    assert "the rows of 'data' are read" in series.notes
    rows[2]["v"] = "n.m."
    (series,) = read(write(path, json.dumps(rows)), categorical=("code",), missing=("n.m.", "4.5"))
    np.testing.assert_array_equal(series.values[:, 0], [0.5, 1.5, np.nan, 3.5, np.nan])
    assert "columns 'at' hold lists or objects and are left out" in series.notes


def database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE readings (at TEXT, plant INTEGER, load REAL)")
        rows = [(str(time), plant, plant + row) for plant in (7, 8) for row, time in enumerate(HOURS)]
        connection.executemany("INSERT INTO readings VALUES (?, ?, ?)", rows)
        connection.execute('CREATE TABLE "other ""table" (v REAL)')
        connection.commit()
    return path


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_a_table_or_a_query_of_sqlite(tmp_path: Path, form: str) -> None:
    source = form.format(database(tmp_path / "plant.db"))
    found = read_series(SeriesDataConfig(source=source, table="readings", series="plant"))
    assert [series.name for series in found] == ["7", "8"] and len(found[1]) == 30
    query = "SELECT at, load * 2 AS twice FROM readings WHERE plant = 8 ORDER BY at"
    (series,) = read_series(SeriesDataConfig(source=source, query=query))
    np.testing.assert_array_equal(series.values[:, 0], 2 * (8 + np.arange(30)))
    assert (series.channels, str(series.frequency)) == (("twice",), "1h")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, 'holds 2 tables; choose one with --data.table: other "table, readings'),
        ({"table": "reading"}, "has no 'reading' among its tables; there are other"),
        ({"query": "SELECT absent FROM readings"}, "the query cannot be read: no such column: absent"),
        ({"query": "DELETE FROM readings"}, "the query cannot be read: attempt to write a readonly database"),
        ({"query": "PRAGMA optimize"}, "has columns but no rows"),
        ({"query": "SELECT load FROM readings LIMIT 0"}, "no rows"),
    ],
)
def test_wrong_questions_to_sqlite(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    path = database(tmp_path / "plant.db")
    before = path.read_bytes()
    with pytest.raises(DataError, match=told):
        read(path, **settings)
    assert path.read_bytes() == before


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    pytest.importorskip("sqlalchemy")
    with pytest.raises(DataError, match=r"postgresql://me@host/db: holds a password.*PGPASSWORD") as error:
        read_series(SeriesDataConfig(source="postgresql://me:secret@host/db"))
    assert "secret" not in str(error.value)


def test_other_databases_by_sqlalchemy(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    source = f"sqlite+pysqlite:///{database(tmp_path / 'plant.db')}"
    one = read_series(SeriesDataConfig(source=source, table="readings", series="plant"))
    other = read(tmp_path / "plant.db", table="readings", series="plant")
    for series, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(series.values, same.values)
        np.testing.assert_array_equal(series.times, same.times)
    with pytest.raises(DataError, match=r"cannot be read: .*no such column"):
        read_series(SeriesDataConfig(source=source, query="SELECT absent FROM readings"))


def test_formats_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": HOURS, "load": np.arange(30.0)})
    frame.to_parquet(tmp_path / "x.csv")
    frame.to_feather(tmp_path / "y.csv")
    for name in ("x.csv", "y.csv"):
        np.testing.assert_array_equal(read(tmp_path / name)[0].values[:, 0], np.arange(30))


def test_a_folder_of_other_tables(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pd.DataFrame({"time": HOURS, "load": np.arange(30.0)}).to_feather(tmp_path / f"{name}.feather")
    (tmp_path / "notes.md").write_text("none of them")
    assert [series.name for series in read(tmp_path)] == ["a", "b"]
    (tmp_path / "c.csv").write_text("time,load\n2024-01-01,1\n2024-01-02,2\n")
    assert [series.name for series in read(tmp_path)] == ["c"]


@pytest.mark.parametrize("name", ["x.parquet", "x.feather"])
def test_columns_of_lists_are_left_out_and_told(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"time": HOURS, "load": np.arange(30.0), "wave": [[1.0, 2.0]] * 30})
    frame.to_parquet(tmp_path / name) if name == "x.parquet" else frame.to_feather(tmp_path / name)
    (series,) = read(tmp_path / name)
    assert series.channels == ("load",) and any("'wave' hold lists" in note for note in series.notes)


@pytest.mark.parametrize("name", ["x.parquet", "x.feather", "x.sqlite"])
def test_damaged_files_are_one_clear_line(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"time": HOURS, "load": np.arange(30.0)})
    WRITERS[name](frame, tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cannot be read|holds no tables") as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_columns_are_counted_before_some_are_left_out(tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": HOURS, "wave": [[1.0, 2.0]] * 30, "load": np.arange(30.0), "wind": np.ones(30)})
    frame.to_parquet(tmp_path / "x.parquet")
    (series,) = read(tmp_path / "x.parquet", channels=("3",))
    assert series.channels == ("load",)
    frame.set_index("time").rename_axis(None).to_parquet(tmp_path / "x.parquet")
    (series,) = read(tmp_path / "x.parquet", channels=("load",), time="time")
    assert series.channels == ("load",) and str(series.frequency) == "1h"


def test_bytes_are_no_text_of_another_encoding(tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": HOURS, "load": np.arange(30.0), "raw": [b"\xff\xfe"] * 30})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"column 'raw' holds text: row 1: \"b'"):
        read(tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet", channels=("load",))[0].channels == ("load",)


@pytest.mark.parametrize("name", ["x.csv", *(f"x{suffix}" for suffix in table_suffixes())])
def test_a_file_that_is_not_there_or_is_none_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"{re.escape(name)}: does not exist; check the path"):
        read(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=rf"{re.escape(name)}: cannot be read: Is a directory"):
        read_table(tmp_path / name, SeriesDataConfig())


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"plant\.db: does not exist; check the path"):
        read_series(SeriesDataConfig(source=f"sqlite:///{tmp_path / 'plant.db'}"))


@pytest.mark.parametrize("name", ["x.feather", "x.arrows", "x.parquet"])
def test_more_rows_than_memory_holds_are_refused_before_they_are_decoded(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"time": HOURS, "load": np.zeros(30)})
    batches = table.to_batches(max_chunksize=20)
    if name == "x.parquet":
        pq.write_table(table, tmp_path / name)
    else:
        make = pa.ipc.new_file if name == "x.feather" else pa.ipc.new_stream
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with make(str(tmp_path / name), table.schema, options=options) as writer:
            for batch in batches:
                writer.write_batch(batch)
    assert len(read(tmp_path / name)[0]) == 30
    monkeypatch.setattr("rnnapps.data.tables.reader.CELL_BYTES", 10**12)
    with pytest.raises(DataError, match=r"holds 30 rows of 2 columns, which take about 60,000 GB of memory"):
        read(tmp_path / name)


@pytest.mark.parametrize(("name", "setting"), [("x.csv", "table"), ("x.parquet", "query"), ("x.jsonl", "query")])
def test_settings_that_mean_nothing_for_a_format_are_refused(tmp_path: Path, name: str, setting: str) -> None:
    frame = pd.DataFrame({"time": HOURS, "load": np.arange(30.0), "kW max": 1.0})
    frame.to_csv(tmp_path / name, index=False) if name == "x.csv" else WRITERS[name](frame, tmp_path / name)
    with pytest.raises(DataError, match=rf"for which --data\.{setting} 'y' means nothing; leave the setting out"):
        read(tmp_path / name, **{setting: "y"})
    like = read(tmp_path / name)[0].rules
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / name), **{setting: "y"}), like)  # type: ignore[arg-type]
    assert len(series) == 30, "as another file than that of training may be of another format"
