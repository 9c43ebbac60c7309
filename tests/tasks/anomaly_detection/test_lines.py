"""Lines judged one by one: any text gives lines or one clear error."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.config import RecurrentConfig
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.series.row_options import RowOptions
from rnnapps.errors import DataError
from rnnapps.preprocessing.local_clock import LocalClock
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.tasks.anomaly_detection.detector_networks import autoencoder, classifier, forecaster
from rnnapps.tasks.anomaly_detection.lines import judge_lines
from rnnapps.tasks.anomaly_detection.row_judge import RowJudge
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream
from rnnapps.verbs.stream_state import KeptMemory

STOPPING = RowOptions(bad_rows="stop")
CELLS = st.one_of(
    st.floats().map(str),
    st.sampled_from(["", "nan", "inf", "1e400", "-3e38", "1,5", "drei", '"', "\x00", "2024-01-01", "  7 "]),
    st.text(max_size=4),
)


@pytest.fixture(scope="module")
def stream() -> DetectorStream:
    keras.utils.set_random_seed(0)
    network = forecaster(RecurrentConfig(units=3), channels=2, targets=2, groups=2, settings={"smoothing_steps": (1,)})
    scaler = SeriesScaler(("only",), ("a", "b"), [[0, 0]] * 2, [[1, 1]] * 2)
    return DetectorStream(network, SensorRows(scaler, ("a", "b"), ("only",)))


@settings(max_examples=1000)
@given(st.booleans(), st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=3))
def test_any_text_is_judged_or_refused(
    stream: DetectorStream, tmp_path_factory: pytest.TempPathFactory, named: bool, table: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    lines = ["b,a"] * named + [",".join(cells) for cells in table]
    path.write_bytes("\n".join(lines).encode("utf-8", errors="surrogatepass"))
    try:
        printed = [line.printed() for line in judge_lines(stream, str(path), options=STOPPING, memory=StreamMemory())]
    except DataError as error:
        assert "line" in str(error)
    else:
        assert all(len(line.split(",")) == 8 and "nan" not in line and "inf" not in line for line in printed)
    with contextlib.suppress(DataError):  # not a single row that can be read
        judged = judge_lines(stream, str(path), options=RowOptions(), memory=StreamMemory())
        assert len(list(judged)) <= len(lines)


def test_columns_are_found_by_name_and_states_kept_apart(stream: DetectorStream, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    rows = [(0.1 * row, -0.2 * row) for row in range(40)]
    path.write_text("series,b,a\n" + "".join(f"x,{b},{a}\ny,{b},{a}\n" for a, b in rows))
    both = [
        line.printed().split(",", 2) for line in judge_lines(stream, str(path), options=STOPPING, memory=StreamMemory())
    ]
    path.write_text("".join(f"{a},{b}\n" for a, b in rows))
    alone = [
        line.printed().split(",", 2)[2]
        for line in judge_lines(stream, str(path), options=STOPPING, memory=StreamMemory())
    ]
    assert [rest for _, name, rest in both if name == "x"] == alone
    assert [rest for _, name, rest in both if name == "y"] == alone


def test_bytes_that_are_no_text_are_refused(stream: DetectorStream, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(b"1,2\n\xff\xfe,3\n")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        list(judge_lines(stream, str(path), options=STOPPING, memory=StreamMemory()))


def detector(kind: str, *, entity: bool = False) -> DetectorStream:
    """An untrained detector of two channels; its scores are numbers all the same."""
    keras.utils.set_random_seed(1)
    channels, settings = 2, {"smoothing_steps": (1, 3), "warmup_steps": 0}
    shared = {"channels": channels, "groups": 2, "settings": settings}
    if kind == "forecaster":
        network = forecaster(RecurrentConfig(units=3), targets=2, horizon_steps=2, **shared)
    elif kind == "autoencoder":
        network = autoencoder(RecurrentConfig(units=3), targets=2, history_steps=4, code_units=2, **shared)
    else:
        network = classifier(RecurrentConfig(units=3), history_steps=4, **shared)
    reading = {"rules": {"frequency": "1h"}} | ({"entity": "card"} if entity else {})
    rows = SensorRows(
        SeriesScaler(("only",), ("a", "b"), [[0, 0]] * 2, [[1, 1]] * 2), ("a", "b"), ("only",), reading=reading
    )
    return DetectorStream(network, rows)


@pytest.mark.parametrize(("kind", "entity"), [("forecaster", False), ("autoencoder", False), ("classifier", True)])
def test_any_cut_and_restart_gives_the_lines_of_the_whole(kind: str, entity: bool, tmp_path: Path) -> None:
    stream, path = detector(kind, entity=entity), tmp_path / "lines.csv"
    lines = [
        f'"c,{row % 3}",2025-01-01T{row // 3 + (row > 10):02d}:00:00,{row * 37 % 11 / 5},{row * 5 % 7}\n'
        for row in range(24)
    ]
    content = "".join([f"{'card' if entity else 'series'},time,a,b\n", *lines]).encode()

    def judged(until: int, memory: StreamMemory) -> list[str]:
        path.write_bytes(content[:until])
        options = RowOptions(most_series=2)
        return [line.printed() for line in judge_lines(stream, str(path), options=options, memory=memory)]

    whole = judged(len(content), StreamMemory())
    assert len(whole) == 24 and len(set(whole)) == 24
    for cut in range(3, len(content), 101):
        state, parts = tmp_path / f"state {cut}", []
        for until in (cut, len(content)):
            memory = KeptMemory(state, {"pipeline": "x", "model": "y"})
            parts += judged(until, memory)
            memory.save()
        assert parts == whole


def test_series_that_have_no_row_longest_give_way(
    stream: DetectorStream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("series,a,b\n" + "".join(f"s{row % 5},1,2\n" for row in range(15)))
    judge = RowJudge(stream, "", most_series=3, memory=StreamMemory())
    for row in range(15):
        judge.row([1.0, 2.0], f"s{row % 5}", 0)
    assert (len(judge.states), judge.states.dropped) == (3, 12)
    list(judge_lines(stream, str(path), options=RowOptions(most_series=3), memory=StreamMemory()))
    assert "12 series gave way to newer ones (--most_series)" in capsys.readouterr().err


def test_names_of_any_kind_are_read_back(stream: DetectorStream, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    names = ['=1+1, "x"', "a\nb", "c;d", "plain"]
    rows = [[name, 1, 2] for name in names]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["series", "a", "b"], *rows])
    lines = judge_lines(stream, str(path), options=STOPPING, memory=StreamMemory())
    printed = "line,series,score,threshold,flag,sensor\n" + "".join(line.printed() for line in lines)
    read = list(csv.DictReader(io.StringIO(printed, newline="")))
    assert [row["series"] for row in read] == ['\'=1+1, "x"', *names[1:]]
    assert [row["line"] for row in read] == ["2", "3", "5", "6"]


def test_the_calendar_is_that_of_the_time_zone(tmp_path: Path) -> None:
    """In Berlin, noon of summer is 10:00 UTC, and noon of winter 11:00."""
    scaler = SeriesScaler(("only",), ("a", "b"), [[0, 0]] * 2, [[1, 1]] * 2)
    utc = SensorRows(scaler, ("a", "b"), ("only",), calendar=True)
    berlin = dataclasses.replace(utc, clock=LocalClock.of("Europe/Berlin"))
    berlin.save(tmp_path)
    seconds = np.array(["2024-07-01T10:00", "2024-01-01T11:00"], "datetime64[s]").astype(np.int64)
    noon = np.array(["2024-07-01T12:00", "2024-01-01T12:00"], "datetime64[s]").astype(np.int64)
    for rows in (berlin, SensorRows.load(tmp_path)):
        np.testing.assert_array_equal(rows.calendar_of(seconds), utc.calendar_of(noon))
