"""Rows of a stream are those that a table gives, whatever they are written like; and what becomes of others."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.row_stream import RowStream, StreamRow
from rnnapps.errors import DataError
from rnnapps.verbs.stream_state import KeptMemory

HOURS = [f"2025-01-0{1 + hour // 24}T{hour % 24:02d}:00:00" for hour in range(48)]


def table(head: str, rows: list[str]) -> str:
    return "\n".join([head, *rows]) + "\n"


GERMAN = table("Zeit;Last", [f"{1 + row // 24:02d}.12.2025 {row % 24:02d}:00;{row + 1}.234,5" for row in range(72)])
NAMES = ('"=1+1, ""x"""', '"a\nb"', '"c""d"')
CELLS = ("1.5", "#DIV/0!", "NaT", "--", "<NA>", "n/a", "-999", "") * 6
HOURLY = table("time,v", [f"{hour},{row}" for row, hour in enumerate(HOURS)])
TABS = table("time\tv", [f"{hour}\t{row}.5" for row, hour in enumerate(HOURS)])
EPOCHS = table("ts,v", [f"{1704067200 + row / 10:.1f},{row}" for row in range(100)])
MILLISECONDS = table("ts,v", [f"{1704067200_000 + row * 250},{row}" for row in range(50)])
OWN_FORMAT = table("when,v", [f"{hour[8:10]}_{hour[11:13]},{row}" for row, hour in enumerate(HOURS)])
OFFSETS = table("time,v", [f"{hour}+02:00,{row}" for row, hour in enumerate(HOURS)])
TOKENS = table("time,v", [f"{hour},{cell}" for hour, cell in zip(HOURS, CELLS, strict=True)])
UNITS = table("time,v", [f"{hour},{row}.5 kW" for row, hour in enumerate(HOURS)])
PREAMBLE = "# exported\nStation;42\n\ntime,v\n,degC\n" + HOURLY.partition("\n")[2] + "Total,288\n"
SERIES = table("series_id,time,v", [f"{name},{hour},{row}" for row, hour in enumerate(HOURS) for name in NAMES])
LONG_CELL = table("time,v,note", [f"{hour},{row},{'x' * 200_000 * (row == 7)}" for row, hour in enumerate(HOURS)])
WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "german": (GERMAN, {}),
    "berlin": (HOURLY, {"timezone": "Europe/Berlin"}),
    "tabs": (TABS, {}),
    "bom": (f"\ufeff{HOURLY}", {}),
    "epoch": (EPOCHS, {}),
    "milliseconds": (MILLISECONDS, {}),
    "format": (OWN_FORMAT, {"time": "when", "time_format": "%d_%H"}),
    "offset": (OFFSETS, {}),
    "missing": (TOKENS, {"missing": ("-999",)}),
    "units": (UNITS, {}),
    "preamble": (PREAMBLE, {"skip_lines": (1, 2, 3, 5, 54)}),
    "names": (SERIES, {}),
    "long": (LONG_CELL, {"channels": ("v",)}),
}


def learned(path: Path, **reading: Any) -> RowRules:
    """The rules that a model keeps of the table it was trained on."""
    config = SeriesDataConfig(source=str(path), **reading)
    first = read_series(config)[0]
    return RowRules(config, first.channels, first.rules, longest_gap=5)


def streamed(rules: RowRules, source: str, *, memory: StreamMemory | None = None, **options: Any) -> list[StreamRow]:
    return list(RowStream(rules, RowOptions(**options), memory or StreamMemory()).lines(source))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_streams_as_it_trains(name: str, tmp_path: Path) -> None:
    text, reading = WRITTEN[name]
    path = tmp_path / "rows.csv"
    path.write_text(text, newline="")
    rules = learned(path, **reading)
    rows = streamed(rules, str(path))
    for series in read_series(rules.config):
        own = [row for row in rows if row.series in (series.name, "")]
        assert series.times is not None
        assert [row.time for row in own] == series.times.tolist() or np.array_equal(
            np.array([row.time for row in own]), series.times
        )
        np.testing.assert_allclose(np.array([row.values for row in own]), series.values, rtol=1e-7)
    assert not any(len(row.missing) for row in rows)


def test_rules_of_training_decide_what_a_lone_row_means(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(GERMAN)
    rules = learned(path)
    path.write_text("Zeit;Last\n01.02.2026 00:00;1.234\n")
    (row,) = streamed(rules, str(path))
    assert (str(row.time)[:16], row.values.tolist()) == ("2026-02-01T00:00", [1234.0])
    path.write_text("Zeit,Last\n2026-02-01T00:00,1.234\n")  # another writer: what its own marks say
    (row,) = streamed(rules, str(path))
    assert (str(row.time)[:16], row.values.tolist()) == ("2026-02-01T00:00", [1.234])
    (series,) = read_series(SeriesDataConfig(source=str(path)), rules.known)
    assert series.values.tolist() == [[pytest.approx(1.234)]]


def test_a_table_of_few_rows_is_read_by_what_training_showed(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(GERMAN)
    rules = learned(path)
    path.write_text("Zeit;Last\n01.02.2026 00:00;1.234\n01.02.2026 01:00;2.345\n")
    (series,) = read_series(SeriesDataConfig(source=str(path)), rules.known)
    assert series.values.ravel().tolist() == [1234.0, 2345.0]
    assert series.times is not None
    assert str(series.times[0])[:10] == "2026-02-01"


@pytest.fixture
def hourly(tmp_path: Path) -> RowRules:
    path = tmp_path / "hours.csv"
    path.write_text(WRITTEN["berlin"][0])
    return learned(path)


def placed(rules: RowRules, tmp_path: Path, hours: list[int], **options: Any) -> list[tuple[int, int]]:
    """(hour, missing rows before it) of each row that is taken."""
    path = tmp_path / "other.csv"
    path.write_text(table("time,v", [f"{HOURS[hour]},{hour}" for hour in hours]))
    return [(int(row.values[0]), len(row.missing)) for row in streamed(rules, str(path), **options)]


def test_late_doubled_and_missing_rows_are_told(
    hourly: RowRules, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = [0, 1, 1, 3, 2, 4, 20]
    assert placed(hourly, tmp_path, hours) == [(0, 0), (1, 0), (3, 1), (4, 0), (20, 5)]
    told = capsys.readouterr().err.splitlines()
    assert "line 4" in told[0]
    assert "repeats" in told[0]
    assert told[-1].endswith(
        "of 7 rows, 1 came late (--late_rows), 1 repeat a time (--late_rows), 16 are missing (--missing_rows)"
    )
    assert placed(hourly, tmp_path, hours, late_rows="keep", missing_rows="ignore") == [(hour, 0) for hour in hours]
    for policy, line in (({"late_rows": "stop"}, "line 4"), ({"missing_rows": "stop"}, "line 5")):
        with pytest.raises(DataError, match=line):
            placed(hourly, tmp_path, hours, **policy)


def test_a_bad_row_does_not_end_the_stream(
    hourly: RowRules, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    lines = [f"{hour},{row}" for row, hour in enumerate(HOURS[:8])]
    lines[2:5] = [f"{HOURS[2]},off", f"{HOURS[3]}", "yesterday,4"]
    path.write_bytes(table("time,v", lines).encode() + b"\xff,1\n" + f'{HOURS[8]},"8\n'.encode())
    rows = streamed(hourly, str(path))
    assert [(row.number, len(row.missing)) for row in rows] == [(2, 0), (3, 0), (7, 3), (8, 0), (9, 0)]
    told = capsys.readouterr().err
    assert "line 4, column 'v': 'off' is no number" in told
    assert "5 could not be read" in told
    with pytest.raises(DataError, match="line 4"):
        streamed(hourly, str(path), bad_rows="stop")
    path.write_text("time,v\nyesterday,1\n")
    with pytest.raises(DataError, match="yesterday"):  # nothing could be read at all
        streamed(hourly, str(path))


def test_the_hour_that_comes_twice_and_the_one_that_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(WRITTEN["berlin"][0])
    rules = learned(path, timezone="Europe/Berlin")
    path.write_text(table("time,v", [f"2024-10-27 0{hour}:00,0" for hour in (0, 1, 2, 3, 4)]))
    assert [len(row.missing) for row in streamed(rules, str(path))] == [0, 0, 0, 1, 0]  # 02:00 is there once
    path.write_text(table("time,v", [f"2024-10-27 0{hour}:00,0" for hour in (0, 1, 2, 2, 3, 4)]))
    assert [len(row.missing) for row in streamed(rules, str(path))] == [0] * 6
    path.write_text(table("time,v", [f"2024-03-31 0{hour}:00,0" for hour in (1, 2, 3)]))
    assert [row.number for row in streamed(rules, str(path))] == [2, 4]  # 02:00 was not on any clock


INPUT = "\ufeffseries,time,v\r\n" + "".join(
    f'"a\n{row % 3}",{HOURS[row // 3]},{row * 107}\r\n' + "bad\n" * (row % 5 == 0) for row in range(30)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(INPUT.encode())), max_size=4), st.booleans())
def test_any_cut_and_restart_gives_the_rows_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], as_file: bool
) -> None:
    folder, content = tmp_path_factory.mktemp("cut"), INPUT.encode()
    rules = RowRules(SeriesDataConfig(), ("v",), {"frequency": "1h"}, longest_gap=3)
    path, state = folder / "rows.csv", folder / "state"
    path.write_bytes(content)
    whole = streamed(rules, str(path))
    rows: list[StreamRow] = []
    places = sorted({*cuts, len(content)})
    for start, stop in zip([0, *places], places, strict=False):
        memory = KeptMemory(state, {"pipeline": "x", "model": "y"})
        path.write_bytes(content[:stop])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content[start:stop])))
            rows += streamed(rules, str(path) if as_file else "-", memory=memory)
        memory.save()
    assert [(row.number, row.series, row.time, row.values.tolist(), len(row.missing)) for row in rows] == [
        (row.number, row.series, row.time, row.values.tolist(), len(row.missing)) for row in whole
    ]


def test_another_file_is_read_from_its_beginning(hourly: RowRules, tmp_path: Path) -> None:
    first, second = tmp_path / "monday.csv", tmp_path / "tuesday.csv"
    first.write_text(table("time,v", [f"{hour},1" for hour in HOURS[:24]]))
    second.write_text(table("time,v", [f"{hour},2" for hour in HOURS[23:30]]))
    memory = KeptMemory(tmp_path / "state", {"pipeline": "x", "model": "y"})
    assert len(streamed(hourly, str(first), memory=memory)) == 24
    memory.save()
    rows = streamed(hourly, str(second), memory=KeptMemory(tmp_path / "state", {"pipeline": "x", "model": "y"}))
    assert [row.number for row in rows] == [3, 4, 5, 6, 7, 8]  # the first repeats the last of the day before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", None),
        (b"time,w\n1,2\n", "line 1: has no column 'v'; it names time, w"),
        (
            b'{"time": "2024-01-01", "v": 1}\n',
            "is a JSON file, and a stream is lines of CSV; predict reads such a file",
        ),
        (
            b"power,site=a v=1 1704067200000000000\n",
            "is a file of InfluxDB's line protocol, and a stream is lines of CSV",
        ),
        (b",".join(b"w%d" % n for n in range(99)) + b"\n", "it names w0, w1, .* w19 and 79 more"),
        (b"\xff\xfet\x00", "is UTF-16 text"),
        (b"PK\x03\x04", "is a ZIP archive"),
        (b"a,b,v\n1,2\n", "line 2: has 2 cells; expected 3"),
    ],
)
def test_what_is_no_stream_is_one_line(content: bytes, message: str | None, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    if message is None:
        assert streamed(RowRules(SeriesDataConfig(), ("v",)), str(path)) == []
        return
    with pytest.raises(DataError, match=message):
        streamed(RowRules(SeriesDataConfig(), ("v",)), str(path))


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_waiting_for_a_terminal_is_told(
    hourly: RowRules, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal(io.BytesIO(b"time,v\n2025-01-01,1\n")))
    assert len(streamed(hourly, "-")) == 1
    assert "reading lines from the terminal; Ctrl-D ends them" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="standard input: is closed"):
        streamed(hourly, "-")


def test_a_file_that_has_gone_does_not_lose_the_state(hourly: RowRules, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(table("time,v", [f"{hour},1" for hour in HOURS[:5]]))
    memory = KeptMemory(tmp_path / "state", {"pipeline": "x", "model": "y"})
    assert len(streamed(hourly, str(path), memory=memory)) == 5
    path.unlink()
    memory.save()
    path.write_text(table("time,v", [f"{hour},1" for hour in HOURS[:8]]))
    assert len(streamed(hourly, str(path), memory=KeptMemory(tmp_path / "state", memory.model))) == 3


def test_lines_that_are_no_rows_are_named_with_the_setting_that_skips_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    for text, lines in ((PREAMBLE, [1, 2, 3, 5, 54]), ("Export\n" + HOURLY, [1]), (HOURLY + "Source: us\n", [50])):
        path.write_text(text)
        with pytest.raises(DataError, match="no row of the table") as error:
            read_series(SeriesDataConfig(source=str(path)))
        assert f"--data.skip_lines '{lines}'" in str(error.value)
        (series,) = read_series(SeriesDataConfig(source=str(path), skip_lines=tuple(lines)))
        assert len(series) == 48
        (again,) = read_series(SeriesDataConfig(source=str(path)), series.rules)  # as `predict` reads it
        np.testing.assert_array_equal(again.values, series.values)
    for wrong, message in (
        (HOURLY + "off,1\n2025-01-03,2\n", "'off' is no time"),
        (HOURLY.replace("time,v", "time"), "2 columns, but the header names 1"),
    ):
        path.write_text(wrong)
        with pytest.raises(DataError, match=message):
            read_series(SeriesDataConfig(source=str(path)))
