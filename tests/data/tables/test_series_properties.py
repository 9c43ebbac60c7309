"""Random series, written as each format says, are read back bit by bit."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series

FIRST = 1_704_067_200
"""2024-01-01 in UTC."""
MINUTE = 60

SIGNS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])
NAMES = st.text(SIGNS, min_size=1, max_size=8).filter(lambda name: not name.endswith("\\"))
"""A backslash at the end of a tag would guard the space behind it: the line protocol has no way to write one."""
NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False)
ROWS = st.lists(st.tuples(NUMBERS, st.one_of(NUMBERS, st.just(math.nan))), min_size=2, max_size=12)
Rows = Sequence[tuple[float, float]]


def _escaped(text: str, signs: str) -> str:
    return "".join(f"\\{sign}" if sign in signs else sign for sign in text)


def _line_protocol(name: str, rows: Rows) -> str:
    tag = _escaped(name, ",= ")
    lines = []
    for row, (one, other) in enumerate(rows):
        fields = f"one={one!r}" + ("" if math.isnan(other) else f",other={other!r}")
        lines.append(f"m,key={tag} {fields} {(FIRST + MINUTE * row) * 10**9}\n")
    return "".join(lines)


def _prometheus(name: str, rows: Rows) -> str:
    def result(column: int, label: str) -> dict[str, Any]:
        pairs = [[FIRST + MINUTE * row, repr(values[column])] for row, values in enumerate(rows)]
        return {"metric": {"__name__": "m", "key": name, "part": label}, "values": pairs}

    results = [result(0, "one"), result(1, "other")]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": results}})


def _gluonts(name: str, rows: Rows) -> str:
    target = [[None if math.isnan(value) else value for value in column] for column in zip(*rows, strict=True)]
    return json.dumps({"item_id": name, "start": "2024-01-01 00:00:00", "freq": "min", "target": target}) + "\n"


def _cell(value: float) -> str:
    return "?" if math.isnan(value) else repr(value)


def _monash(name: str, rows: Rows) -> str:
    head = "@attribute series_name string\n@attribute start_timestamp date\n@frequency minutely\n@data\n"
    columns = zip(*rows, strict=True)
    lines = [
        f"{part}:2024-01-01 00-00-00:{','.join(map(_cell, column))}\n"
        for part, column in zip(("one", "other"), columns, strict=True)
    ]
    return head + "".join(lines)


def _uea(name: str, rows: Rows) -> str:
    def dimension(column: Sequence[float]) -> str:
        times = [str(np.datetime64(FIRST + MINUTE * row, "s")).replace("T", " ") for row in range(len(column))]
        return ",".join(f"({time},{_cell(value)})" for time, value in zip(times, column, strict=True))

    head = "@problemName p\n@timeStamps true\n@classLabel true a\n@data\n"
    return head + ":".join(dimension(column) for column in zip(*rows, strict=True)) + ":a\n"


@pytest.mark.parametrize("writer", [_line_protocol, _prometheus, _gluonts, _monash, _uea])
@given(name=NAMES, rows=ROWS)
@settings(max_examples=6, deadline=None)
def test_what_is_written_is_read_back(writer: Callable[[str, Rows], str], name: str, rows: Rows) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.txt")
        path.write_text(writer(name, rows), encoding="utf-8", newline="")
        found = read_series(SeriesDataConfig(source=str(path)))
    expected = np.array(rows)
    if writer is _line_protocol and np.isnan(expected[:, 1]).all():
        expected = expected[:, :1]
    values = np.concatenate([series.values for series in found], axis=1)
    np.testing.assert_array_equal(values, expected)
    for series in found:
        assert series.times is not None and str(series.frequency) == "1min"
        seconds = series.times.astype("datetime64[s]").astype(np.int64)
        np.testing.assert_array_equal(seconds, FIRST + MINUTE * np.arange(len(rows)))
    if writer is _line_protocol:
        assert found[0].name == f"key={name}"
    if writer is _gluonts:
        assert found[0].name == name


@given(measurement=NAMES, tag=NAMES, field=NAMES, rows=ROWS)
@settings(max_examples=10, deadline=None)
def test_lines_of_the_database_s_own_library(measurement: str, tag: str, field: str, rows: Rows) -> None:
    client = pytest.importorskip("influxdb_client")
    times = [(FIRST + MINUTE * row) * 10**9 for row in range(len(rows))]
    lines = [
        client.Point(measurement).tag("key", tag).field(field, one).time(time).to_line_protocol()
        for time, (one, _) in zip(times, rows, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.lp")
        path.write_text("\n".join(lines), encoding="utf-8", newline="")
        (series,) = read_series(SeriesDataConfig(source=str(path)))
    assert series.channels == (field,)
    np.testing.assert_array_equal(series.values[:, 0], [one for one, _ in rows])
