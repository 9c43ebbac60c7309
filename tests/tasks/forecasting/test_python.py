"""Forecasting from Python: frames and arrays in, frames out, and the same as the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnnapps
from rnnapps.errors import DataError, RnnappsError
from rnnapps.verbs.model import Model
from tests.tasks.command import skip_report
from tests.tasks.forecasting.forecasts import HISTORY, HORIZON, answer, succeed, wave, write_wave

SETTINGS = {
    "model": {"units": 4, "history_steps": HISTORY, "horizon_steps": HORIZON, "quantiles": (0.1, 0.5, 0.9)},
    "training": {"batch_size": 8, "evaluate_every": 1, "tensorboard": False, "compile": "graph"},
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
    path = write_wave(folder / "memory.csv", wave(200))
    return pd.read_csv(path, index_col="time", parse_dates=True)


@pytest.fixture(scope="module")
def model(folder: Path, frame: pd.DataFrame) -> Model:
    return rnnapps.train("forecasting", frame, run=folder / "run", steps=2, **SETTINGS)


def same_weights(one: Model, other: Model) -> bool:
    pairs = zip(one.network.weights, other.network.weights, strict=True)
    return all(np.array_equal(own, others) for own, others in pairs)


def test_training_from_memory_is_training_from_the_file(model: Model, folder: Path) -> None:
    from_file = rnnapps.train("forecasting", folder / "memory.csv", run=folder / "file", steps=2, **SETTINGS)
    assert same_weights(model, from_file)
    assert model.evaluate().metrics == from_file.evaluate().metrics
    assert model.config.data.source == "memory"


@pytest.mark.slow
def test_a_run_from_memory_goes_on_where_its_data_are_given_again(
    model: Model, folder: Path, frame: pd.DataFrame
) -> None:
    again = rnnapps.train("forecasting", frame, run=folder / "run", steps=2, **SETTINGS)
    assert same_weights(again, model)
    with pytest.raises(RnnappsError, match=r"the data of this run .* have changed since it was begun"):
        rnnapps.train("forecasting", frame + 1, run=folder / "run", steps=2, **SETTINGS)


def test_predict_is_what_the_command_line_prints(
    model: Model, folder: Path, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_wave(folder / "recent.csv", wave(60, seed=3))
    recent = pd.read_csv(path, index_col="time", parse_dates=True)
    before = recent.copy(deep=True)
    found = rnnapps.load(folder / "run").predict({"recent": recent})
    pd.testing.assert_frame_equal(recent, before)
    printed = answer(capsys, "predict", "--run", folder / "run", "--input", path)["results"]
    assert list(found.columns) == ["series", "channel", "step", "time", "mean", "0.1", "0.5", "0.9"]
    assert len(found) == len(printed) == 2 * HORIZON
    for (_, row), line in zip(found.iterrows(), printed, strict=True):
        assert {name: row[name] for name in ("series", "channel", "step", "mean")} == {
            name: line[name] for name in ("series", "channel", "step", "mean")
        }
        assert {name: row[name] for name in ("0.1", "0.5", "0.9")} == line["quantiles"]
        assert row["time"] == pd.Timestamp(line["time"].removesuffix("Z"))
    by_path = rnnapps.load(folder / "run").predict(path)
    pd.testing.assert_frame_equal(by_path, found)
    assert found["time"].iloc[0] == recent.index[-1] + pd.Timedelta(hours=1)
    several = model.predict({"early": frame[:40], "late": frame[40:]})
    pd.testing.assert_frame_equal(
        several[several["series"] == "late"].reset_index(drop=True),
        model.predict({"late": frame[40:]}),
    )


def test_stream_is_what_the_command_line_prints(model: Model, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_wave(folder / "rows.csv", wave(HISTORY + 3, seed=3))
    rows = pd.read_csv(path, index_col="time", parse_dates=True)
    pieces = list(model.stream(rows))
    capsys.readouterr()
    succeed("stream", "--run", folder / "run", "--input", path)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    succeed("stream", "--run", folder / "run", "--input", path, "--json")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == lines
    assert len(pieces) == len(lines) == 4
    for piece, line in zip(pieces, lines, strict=True):
        assert f"{piece.time.isoformat()}Z" == line["time"]
        for number, channel in enumerate(("east", "west")):
            assert piece.mean[:, number].tolist() == line["forecast"][channel]["mean"]
            assert piece.quantiles[:, number, 2].tolist() == line["forecast"][channel]["0.9"]
    one_by_one = list(model.stream(row for _, row in rows.iterrows()))
    assert [piece.mean.tolist() for piece in one_by_one] == [piece.mean.tolist() for piece in pieces]
    final = model.predict(rows)
    np.testing.assert_allclose(final["mean"], pieces[-1].mean.T.reshape(-1), rtol=1e-5)


@pytest.mark.slow
def test_an_export_predicts_the_same(model: Model, folder: Path, frame: pd.DataFrame) -> None:
    version = model.export(folder / "models")
    pd.testing.assert_frame_equal(rnnapps.load(version).predict(frame), model.predict(frame))


def test_data_that_are_stored_nowhere_must_be_given(model: Model, folder: Path, frame: pd.DataFrame) -> None:
    loaded = rnnapps.load(folder / "run")
    with pytest.raises(DataError, match="the data of this run were given from Python and are stored nowhere") as error:
        loaded.evaluate()
    assert "\n" not in str(error.value)
    assert loaded.evaluate(frame).metrics == model.evaluate().metrics
    apart = {"train": frame[:140], "validation": frame[140:170], "test": frame[170:]}
    assert loaded.evaluate(apart).metrics == model.evaluate().metrics


@pytest.mark.slow
def test_finetuning_from_memory_keeps_channels_by_name(model: Model, folder: Path, frame: pd.DataFrame) -> None:
    tuned = model.finetune(frame[["west"]], run=folder / "tuned", steps=1, learning_rate=1e-9)
    assert tuned.preprocessor.scaler.channels == ("west",)
    assert tuned.preprocessor.scaler.centre[0] == model.preprocessor.scaler.centre[1]
    assert set(tuned.predict(frame[["west"]])["channel"]) == {"west"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pd.DataFrame({"east": [1.0] * 40}), "has no column 'west'"),
        (np.zeros((40, 3)), "has no column 'east'; the nearest is|there are 'channel_0'"),
        (np.zeros((40, 2)), "series 'memory' has no times; this model reads the calendar"),
        (np.zeros((40, 2, 2)), "is an array of float64"),
        (3, "memory: is of type int; give a pandas frame"),
    ],
)
def test_wrong_inputs_are_one_line(model: Model, given: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        model.predict(given)
    assert "\n" not in str(error.value)


def test_too_little_and_wrong_rows_are_one_line(model: Model, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="has 10 rows up to its last measured one; this model needs 24"):
        model.predict(frame[:10])
    with pytest.raises(DataError, match=r"row 1 \(counted from 0\): .* follows .*, 1 rows of 1h are missing"):
        list(model.stream(frame.iloc[[0, 2]], missing_rows="stop"))
    with pytest.raises(DataError, match=r"row 0 \(counted from 0\) has no time"):
        list(model.stream([{"east": 1.0, "west": 2.0}]))
