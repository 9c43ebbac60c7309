"""Forecasting from a CSV file to a verified export, through the command line."""

from __future__ import annotations

import io
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnapps
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.cli.pipeline_cli import main
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import split_in_time
from rnnapps.export.inference import ExportedModel, load_for_inference
from rnnapps.tasks.forecasting.pipeline import PIPELINE
from tests.tasks.command import skip_report
from tests.tasks.cuts import from_standard_input
from tests.tasks.forecasting.forecasts import HISTORY, HORIZON, SETTINGS, answer, complaint, succeed, wave, write_wave

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wave(tmp_path_factory.mktemp("series") / "wave.csv", wave())


@pytest.fixture(scope="module")
def run(table: Path) -> Path:
    folder = table.parent / "run"
    steps = ("--training.steps=150", "--training.evaluate_every=75")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder, "--data.source", table, *SETTINGS, *steps)
    return folder


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    folder = run.parent / "models" / "wave"
    succeed("export", "--run", run, "--to", folder)
    return folder / "1"


@pytest.fixture(scope="module")
def model(exported: Path) -> ExportedModel:
    return load_for_inference(exported)


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)


def requests(values: Array, times: Array, origins: Array) -> dict[str, Array]:
    """One request of all windows that end before each origin."""
    return {
        "history": np.stack([values[origin - HISTORY : origin] for origin in origins]),
        "lengths": np.full(len(origins), HISTORY, np.int32),
        "last_time": np.array([times[origin - 1].astype("datetime64[s]").astype(np.int64) for origin in origins]),
    }


@pytest.mark.usefixtures("without_report")
def test_evaluate_is_the_error_of_the_exported_model_on_every_test_window(
    run: Path, table: Path, model: ExportedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it again with NumPy: windows, scaling by the training rows, and the forecasts of the server."""
    found = answer(capsys, "evaluate", "--run", run)
    config = SeriesDataConfig(source=str(table))
    (series,) = read_series(config)
    split = split_in_time([series], config)
    train, test = split.train[0], split.test[0]
    origins = np.arange(test.start, test.stop - HORIZON + 1)
    assert found["examples"] == len(origins)
    assert series.times is not None
    answers = model.run("serving_default", requests(series.values, series.times, origins))
    actual = np.stack([series.values[origin : origin + HORIZON] for origin in origins])
    deviation = series.values[: train.stop].astype(np.float64).std(axis=0)
    errors = (answers["mean"] - actual) / deviation
    assert found["mse_scaled"] == pytest.approx((errors**2).mean(), rel=1e-4)
    assert found["mae"] == pytest.approx(np.abs(answers["mean"] - actual).mean(), rel=1e-4)
    inside = (actual >= answers["quantiles"][..., 0]) & (actual <= answers["quantiles"][..., -1])
    covered = found["diagnostics"]["coverage_of_80_percent_interval, model"]
    assert covered == pytest.approx(100 * inside.mean(), abs=0.1)
    last = series.values[origins - 1][:, None]
    naive = (((last - actual) / deviation) ** 2).mean()
    assert found["baselines"]["last value"]["mse_scaled"] == pytest.approx(naive, rel=1e-4)


@pytest.mark.usefixtures("without_report")
def test_it_learns(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The noise alone has a scaled error of 1 / 51 and 1 / 801, so that 0.1 is near what can be reached."""
    found = answer(capsys, "evaluate", "--run", run)
    assert found["mse_scaled"] < 0.1 < 10 * found["baselines"]["last value"]["mse_scaled"]
    assert set(found["baselines"]) == {
        *("last value", "seasonal naive", "seasonal mean", "drift"),
        *("linear (ridge)", "linear (ridge, window units)"),
    }
    assert 65 < found["diagnostics"]["coverage_of_80_percent_interval, model"] < 95


def test_backtest_goes_through_the_test_time(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "evaluate", "--run", run, "--backtest")
    whole = answer(capsys, "evaluate", "--run", run, "--data.duplicates", "first")
    assert found["examples"] == whole["examples"]
    assert found["mse_scaled"] == pytest.approx(whole["mse_scaled"], rel=1e-5)
    assert found["split"] == "test (backtest of 6 folds)"
    assert sum(name.endswith(", model") and "fold" in name for name in found["diagnostics"]) == 6


def test_it_verifies(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["verify", str(exported)]) == 0
    assert "all passed" in capsys.readouterr().out


def test_predict_serving_and_stream_say_the_same(
    run: Path, table: Path, model: ExportedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = wave()[:60]
    values[50, 0] = np.nan
    path = write_wave(tmp_path / "so_far.csv", values)
    path.write_text(path.read_text().replace("nan", ""))
    rows = answer(capsys, "predict", "--run", run, "--input", path, "--picture", tmp_path / "fan.png")["results"]
    predicted = np.array([row["mean"] for row in rows]).reshape(2, HORIZON).T
    assert (rows[0]["series"], rows[0]["channel"], rows[0]["time"]) == ("so_far", "east", "2024-03-22T12:00:00Z")
    assert (tmp_path / "fan.png").read_bytes().startswith(b"\x89PNG")
    times = np.datetime64("2024-03-20T00:00", "s") + 3600 * np.arange(60)
    served = model.run("serving_default", requests(values, times, np.array([60])))
    np.testing.assert_allclose(served["mean"][0], predicted, rtol=1e-5)
    succeed("stream", "--run", run, "--input", path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 60 - HISTORY + 1
    last = json.loads(lines[-1])
    assert last["time"] == "2024-03-22T11:00:00Z"
    np.testing.assert_allclose(last["forecast"]["west"]["mean"], predicted[:, 1], rtol=1e-5)


def test_the_online_step_is_the_offline_forecast(model: ExportedModel) -> None:
    values = wave()[:40]
    times = np.datetime64("2024-03-20T00:00", "s") + 3600 * np.arange(40)
    offline = model.run("serving_default", requests(values, times, np.array([40])))
    state = {"history": np.zeros((1, HISTORY, 2)), "present": np.zeros((1, HISTORY, 2), np.float32)}
    state["covariates"] = np.zeros((1, HISTORY, 6), np.float32)
    states: dict[str, Array] = {f"state_{name}": value for name, value in state.items()}
    for start, stop in ((0, 17), (17, 18), (18, 18), (18, 40)):
        rows = np.full((1, stop - start + 3, 2), 7.7)  # three rows of padding
        rows[0, : stop - start] = values[start:stop]
        last = np.array([times[stop - 1].astype(np.int64)])
        inputs = {"history": rows, "lengths": np.array([stop - start], np.int32), "last_time": last}
        found = model.run("step", {**inputs, **states})
        states = {name: found[f"next_{name}"] for name in states}
    np.testing.assert_allclose(found["quantiles"], offline["quantiles"], rtol=1e-5)


@pytest.mark.usefixtures("without_report")
def test_a_global_model_adapts_to_a_new_series_better_than_one_from_scratch(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = write_wave(tmp_path / "new.csv", wave(120, seed=5, level=-300.0)[:, ::-1], names="west,north")
    flags = ("--data.source", short, *SETTINGS, "--training.steps=20", "--training.evaluate_every=10")
    shares = ("--data.validation_fraction=0.3", "--data.test_fraction=0.3")
    succeed("train", "--run", tmp_path / "scratch", *flags, *shares)
    succeed("finetune", "--run", tmp_path / "tuned", "--from", run, *flags, *shares)
    report = json.loads((tmp_path / "tuned" / "finetune.json").read_text())["transfer"]
    assert report["reset"] == {}
    assert set(report["grown"]) >= {"channel/vectors", "normalization/log_gain", "normalization/offset"}
    scratch, tuned = (answer(capsys, "evaluate", "--run", tmp_path / name) for name in ("scratch", "tuned"))
    # The linear forecasts beside both networks are the same.
    errors = [found["alone"]["network alone"]["mse_scaled"] for found in (scratch, tuned)]
    assert errors[1] < 0.7 * errors[0]
    assert max(scratch["mse_scaled"], tuned["mse_scaled"]) < errors[1]


def test_a_report_has_its_pictures(run: Path) -> None:
    succeed("evaluate", "--run", run)
    page = (run / "report.html").read_text()
    for heading in ("Forecasts", "Error by step of the horizon", "What is left in the residuals"):
        assert heading in page


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["predict"], "predict needs --input"),
        (["predict", "--input", "absent.csv"], "absent.csv: does not exist"),
        (["predict", "--input", "short.csv"], "has 10 rows up to its last measured one; this model needs 24"),
        (["predict", "--input", "good.csv", "--series", "x"], "has no series 'x'"),
        (["predict", "--input", "other.csv"], "has no column 'east'; the nearest is 'west'"),
        (["predict", "--input", "good.csv", "--picture", "x.gif"], "picture must be a file that ends in .png or .svg"),
        (["stream"], "stream needs --input"),
        (["predict", "--input", "timeless.csv"], "series 'timeless' has no times; this model reads the calendar"),
        (["stream", "--input", "timeless.csv"], "timeless.csv: line 1: has no column of times"),
        (["stream", "--input", "gap.csv", "--missing_rows", "stop"], "line 4: 2024-03-20T03:00:00.000000000 UTC"),
        (["stream", "--input", "text.csv", "--bad_rows", "stop"], "line 3, column 'west': 'off' is no number"),
        (["stream", "--input", "text.csv", "--picture", "x.png"], "stream has no --picture: it is a flag of predict"),
        (["evaluate", "--data.irregular", "keep"], "a forecast continues equally spaced rows"),
        (["evaluate", "--data.test_rows", "5"], "data.test_rows must be at least model.horizon_steps (6), not 5"),
        (["evaluate", "--data.test_rows", "300"], "has 500 rows, of which 300 + 300 (validation and test) are to be"),
        (["evaluate", "--data.season_steps", "4", "--data.second_season_steps", "21"], "of at least 25, not 24"),
    ],
)
def test_bad_input_is_one_line(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_wave(Path("good.csv"), wave(40))
    write_wave(Path("short.csv"), wave(10))
    write_wave(Path("other.csv"), wave(40), names="best,west")
    lines = write_wave(Path("gap.csv"), wave(40)).read_text().splitlines(keepends=True)
    Path("timeless.csv").write_text("east,west\n" + "1,2\n" * 40)
    Path("gap.csv").write_text("".join(lines[:3] + lines[4:]))
    Path("text.csv").write_text("".join([*lines[:2], "2024-03-20T01:00,1,off\n"]))
    verb, *rest = flags
    assert message in complaint(capsys, verb, "--run", run, *rest)


def test_too_few_rows_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_wave(tmp_path / "few.csv", wave(3))
    line = complaint(capsys, "train", "--run", tmp_path / "run", "--data.source", path, *SETTINGS)
    assert "a window of 24 + 6 rows does not fit" in line
    for verb, more in (("train", ("--run", tmp_path / "run", *SETTINGS)), ("data", ())):
        line = complaint(capsys, verb, *more, "--data.source", path, "--data.test_rows", 6)
        assert (
            "few.csv: series 'few' has 3 rows, of which 6 + 6 (validation and test) are to be held out; lower" in line
        )
    assert not (tmp_path / "run").exists()


def test_rows_from_standard_input(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = write_wave(tmp_path / "rows.csv", wave(HISTORY)).read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    succeed("stream", "--run", run, "--input", "-")
    (line,) = capsys.readouterr().out.splitlines()
    assert set(json.loads(line)["forecast"]) == {"east", "west"}


@pytest.mark.usefixtures("without_report")
def test_built_in_series_need_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--training.steps=2", "--training.evaluate_every=2", "--model.series_units=2", "--model.loss_units=window")
    succeed("train", "--run", tmp_path / "run", "--data.source", "builtin", *SETTINGS, *flags)
    rows = answer(capsys, "predict", "--run", tmp_path / "run", "--input", "builtin", "--series", "co2")["results"]
    assert (rows[0]["time"], len(rows)) == ("2002-01-05T00:00:00Z", HORIZON)
    assert "unknown" not in complaint(capsys, "predict", "--run", tmp_path / "run", "--input", "builtin:sun")


def test_without_statsmodels_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "statsmodels", None)
    line = complaint(capsys, "train", "--run", tmp_path / "run", "--data.source", "builtin")
    assert "needs the package statsmodels" in line and "pip install 'rnnapps[samples]'" in line


class _Signalled:
    """Standard input that a signal comes into, while more of it is waited for."""

    def __init__(self, content: bytes, number: signal.Signals) -> None:
        self.content, self.number, self.buffer = content, number, self

    def isatty(self) -> bool:
        return False

    def read1(self, _: int) -> bytes:
        content, self.content = self.content, b""
        if not content:
            signal.raise_signal(self.number)
        return content


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_that_a_signal_ends_goes_on_from_its_state(
    number: signal.Signals,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = write_wave(tmp_path / "rows.csv", wave(HISTORY + 6)).read_bytes()
    succeed("stream", "--run", run, "--input", tmp_path / "rows.csv")
    whole = capsys.readouterr().out
    asked = ["stream", "--run", str(run), "--input", "-", "--state", str(tmp_path / "state")]
    for part in (content[:-300], content[-300:]):
        monkeypatch.setattr("sys.stdin", _Signalled(part, number))
        assert main(PIPELINE, asked) == 128 + number
    printed = capsys.readouterr()
    assert printed.out == whole
    assert f"the state is in {tmp_path / 'state'}: the same command goes on" in printed.err
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:-9])
    assert "state: is damaged (its checksum differs)" in complaint(capsys, *asked)
    assert "--state_seconds must be a number of seconds" in complaint(capsys, *asked, "--state_seconds", "soon")


def test_a_stream_may_be_cut_anywhere(run: Path, tmp_path: Path) -> None:
    model = rnnapps.load(run)
    rows = write_wave(tmp_path / "rows.csv", wave(HISTORY + 12)).read_text().splitlines(keepends=True)
    named = "".join(["series," + rows[0], *(f"{name},{row}" for row in rows[1:] for name in ("x", "y"))]).encode()
    whole = [piece.printed() for piece in from_standard_input(model, [named], None, input="-")]
    assert {piece["series"] for piece in whole} == {"x", "y"}
    for cut in range(5, len(named), 397):
        pieces = from_standard_input(model, [named[:cut], named[cut:]], tmp_path / str(cut), input="-")
        assert repr([piece.printed() for piece in pieces]) == repr(whole)


def test_a_gap_and_a_bad_row_are_missing_rows(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `predict` has them, where the rows are regularised."""
    values = wave(HISTORY + 6)
    lines = write_wave(tmp_path / "rows.csv", values).read_text().splitlines(keepends=True)
    values[[5, HISTORY + 2, HISTORY + 3]] = np.nan
    path = write_wave(tmp_path / "missing.csv", values)
    path.write_text(path.read_text().replace("nan", ""))
    rows = answer(capsys, "predict", "--run", run, "--input", path)["results"]
    lines[6] = "2024-03-20T05:00,oh,no\n"
    (tmp_path / "rows.csv").write_text("".join(lines[: HISTORY + 3] + lines[HISTORY + 5 :]))
    succeed("stream", "--run", run, "--input", tmp_path / "rows.csv")
    printed = capsys.readouterr()
    last = json.loads(printed.out.splitlines()[-1])["forecast"]
    np.testing.assert_allclose(last["east"]["mean"], [row["mean"] for row in rows[:HORIZON]], rtol=1e-5)
    assert "1 could not be read (--bad_rows), 3 are missing (--missing_rows)" in printed.err
