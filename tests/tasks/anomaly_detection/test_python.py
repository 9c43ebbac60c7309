"""Anomaly detection from Python: frames in, events and scored rows out, and the same as the command line."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnnapps
from rnnapps.errors import ConfigError, DataError
from rnnapps.verbs.model import Model
from tests.tasks.anomaly_detection.watched import FAULTS, answer, succeed, write_rows
from tests.tasks.command import skip_report

SETTINGS = {
    "model": {"units": 8},
    "detection": {"warmup_steps": 8},
    "training": {"batch_size": 8, "window_steps": 24, "evaluate_every": 3, "tensorboard": False, "compile": "graph"},
}


@pytest.fixture(scope="module", autouse=True)
def without_report() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("python")


@pytest.fixture(scope="module")
def frame(folder: Path) -> pd.DataFrame:
    path = write_rows(folder / "memory.csv")
    return pd.read_csv(path, index_col="time", parse_dates=True)


@pytest.fixture(scope="module")
def model(folder: Path, frame: pd.DataFrame) -> Model:
    data = {"source": frame, "label": "fault"}
    return rnnapps.train("anomaly_detection", data, run=folder / "run", steps=3, **SETTINGS)


@pytest.fixture(scope="module")
def other(folder: Path) -> Path:
    return write_rows(folder / "other.csv", seed=9, labels=False)


def test_training_from_memory_is_training_from_the_file(model: Model, folder: Path) -> None:
    data = {"source": folder / "memory.csv", "label": "fault"}
    from_file = rnnapps.train("anomaly_detection", data, run=folder / "file", steps=3, **SETTINGS)
    for own, others in zip(model.network.weights, from_file.network.weights, strict=True):
        np.testing.assert_array_equal(own, others)
    assert model.evaluate().as_dict() == from_file.evaluate().as_dict()
    assert model.evaluate().diagnostics["events_found"] + model.evaluate().diagnostics["events_missed"] == 3


def test_predict_is_what_the_command_line_prints(
    model: Model, folder: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.read_csv(other, index_col="time", parse_dates=True)
    before = rows.copy(deep=True)
    events = model.predict({"other": rows})
    pd.testing.assert_frame_equal(rows, before)
    printed = answer(capsys, "predict", "--run", folder / "run", "--input", other)["results"]
    assert len(events) == len(printed) > 0
    for event, line in zip(events.to_dict("records"), printed, strict=True):
        for name in ("first_time", "last_time"):
            event[name] = event[name].isoformat()
        assert event == line
    pd.testing.assert_frame_equal(rnnapps.load(folder / "run").predict(other), events)


def test_rows_have_scores_and_the_flags_of_the_events(
    model: Model, folder: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.read_csv(other, index_col="time", parse_dates=True)
    scored, events = model.predict({"other": rows}, rows=True), model.predict({"other": rows})
    assert list(scored.columns) == ["series", "row", "time", "score", "threshold", "flag", "sensor", "missing", "alarm"]
    assert (pd.DatetimeIndex(scored["time"]) == rows.index).all()
    flagged = np.zeros(len(rows), bool)
    for event in events.itertuples():
        flagged[event.first_row : event.last_row + 1] = True
        stretch = scored[event.first_row : event.last_row + 1]
        assert stretch["score"].max() == event.peak_score
        assert set(stretch["alarm"]) == {event.severity} <= {"minor", "major", "critical"}
    np.testing.assert_array_equal(scored["flag"], flagged)
    assert scored["flag"][FAULTS["jump"][0]] and scored["sensor"][FAULTS["jump"][0]] == "angle"
    assert set(scored["sensor"][~flagged]) == {""}
    lines = answer(capsys, "predict", "--run", folder / "run", "--input", other, "--rows", "true")["results"]
    assert [line["score"] for line in lines] == scored["score"].tolist()
    assert lines[850] == {**scored.iloc[850].to_dict(), "time": rows.index[850].isoformat()}


def test_nothing_found_is_a_frame_of_the_same_columns(model: Model, frame: pd.DataFrame) -> None:
    columns = model.predict(frame).columns
    quiet = model.predict(frame[:30])
    assert len(quiet) == 0
    assert list(quiet.columns) == list(columns)


def test_stream_is_what_the_command_line_prints(
    model: Model, folder: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = other.read_text().splitlines(keepends=True)
    path = folder / "few.csv"
    path.write_text("".join([lines[0], *lines[830:860]]))
    rows = pd.read_csv(path, index_col="time", parse_dates=True)
    pieces = list(model.stream(rows))
    capsys.readouterr()
    succeed("stream", "--run", folder / "run", "--input", path)
    printed = capsys.readouterr().out
    assert printed.startswith("line,series,score,threshold,flag,sensor,missing,alarm\n2,,")
    table = list(csv.DictReader(io.StringIO(printed)))
    assert len(pieces) == len(table) == 30
    for number, (piece, line) in enumerate(zip(pieces, table, strict=True)):
        assert (piece.row, piece.time) == (number, rows.index[number])
        assert (f"{piece.score:.4g}", f"{piece.threshold:.4g}") == (line["score"], line["threshold"])
        assert (str(int(piece.flag)), piece.sensor) == (line["flag"], line["sensor"])
    assert any(piece.flag for piece in pieces)
    succeed("stream", "--run", folder / "run", "--input", path, "--json")
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first == {
        "line": 2,
        "series": "",
        "score": 0.0,
        "threshold": pieces[0].threshold,
        "flag": False,
        "sensor": "",
        "missing": "",
        "alarm": "",
    }
    one_by_one = list(model.stream(row for _, row in rows.iterrows()))
    assert one_by_one == pieces
    flagged = model.stream(rows.to_numpy(), only_flags=True)
    ends = [after.row for before, after in itertools.pairwise(pieces) if before.alarm and not after.alarm]
    assert [piece.row for piece in flagged] == sorted({piece.row for piece in pieces if piece.flag} | {*ends})


def test_series_of_a_stream_have_states_of_their_own(model: Model, other: Path) -> None:
    rows = pd.read_csv(other, index_col="time", parse_dates=True)[:12]
    alone = [piece.score for piece in model.stream(rows)]
    mixed = [{"series": name, **row} for row in rows.to_dict("records") for name in ("x", "y")]
    both = list(model.stream(mixed))
    assert [piece.score for piece in both if piece.series == "y"] == alone


@pytest.mark.slow
def test_an_export_says_the_same(model: Model, folder: Path, frame: pd.DataFrame) -> None:
    version = model.export(folder / "models")
    pd.testing.assert_frame_equal(rnnapps.load(version).predict(frame), model.predict(frame))


def test_an_evaluation_on_other_rows_leaves_the_thresholds_as_they_were(model: Model, frame: pd.DataFrame) -> None:
    before = model.predict(frame, rows=True)["threshold"]
    found = model.evaluate({"train": 3 * frame[:600], "validation": 3 * frame[600:750], "test": frame[750:]})
    assert found.examples == 250
    pd.testing.assert_series_equal(model.predict(frame, rows=True)["threshold"], before)


def test_data_that_are_stored_nowhere_must_be_given(model: Model, folder: Path, frame: pd.DataFrame) -> None:
    loaded = rnnapps.load(folder / "run")
    with pytest.raises(DataError, match="the data of this run were given from Python and are stored nowhere") as error:
        loaded.evaluate()
    assert "\n" not in str(error.value)
    assert loaded.evaluate(frame).metrics == model.evaluate().metrics


@pytest.mark.slow
def test_finetuning_from_memory_keeps_sensors_by_name(model: Model, folder: Path, frame: pd.DataFrame) -> None:
    other = frame[["noise", "angle", "fault"]]
    tuned = model.finetune(other, run=folder / "tuned", steps=1, learning_rate=1e-9)
    assert tuned.preprocessor.channels == ("noise", "angle")
    assert np.array_equal(tuned.preprocessor.scaler.centre[:, 1], model.preprocessor.scaler.centre[:, 0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pd.DataFrame({"angle": [1.0], "double": [2.0]}), "memory: has no column 'noise'"),
        (pd.DataFrame({"angle": [1.0], "double": ["x"], "noise": [0]}), r"row 0 \(counted from 0\): 'x'"),
        (np.zeros((4, 5)), "memory: has no column 'angle'"),
        ("absent.csv", "absent.csv: does not exist"),
        (object(), "memory: is of type object; give a pandas frame"),
    ],
)
def test_wrong_inputs_are_one_line(model: Model, given: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        model.predict(given)
    assert "\n" not in str(error.value)


def test_test_rows_are_given_once(frame: pd.DataFrame) -> None:
    data = {"source": {"train": frame[:700], "test": frame[700:]}, "test": "other.csv"}
    with pytest.raises(ConfigError, match=r"data\.test other\.csv and the split `test` both give test rows"):
        rnnapps.train("anomaly_detection", data, run="unused", steps=1)
