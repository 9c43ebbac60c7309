"""Anomaly detection through the command line: what a detector finds, and what thresholds make of that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rnnapps.cli.main import main as rnnapps_main
from rnnapps.errors import CheckpointError
from rnnapps.tasks.anomaly_detection.baselines import BASELINES
from tests.tasks.anomaly_detection.watched import (
    SETTINGS,
    answer,
    complaint,
    streamed,
    succeed,
    write_events,
    write_rows,
)
from tests.tasks.command import skip_report


def test_it_finds_plain_faults_and_is_measured_beside_baselines(
    watcher: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "evaluate", "--run", watcher)
    assert found["event_recall"] == 1
    assert found["event_precision"] >= 0.75
    assert found["vus_pr"] > 0.7
    assert found["diagnostics"]["events_found"] == 3
    assert set(found["baselines"]) == set(BASELINES)
    assert 0 < found["diagnostics"]["flagged_share"] < 2 * found["diagnostics"]["labelled_share"]
    assert 0 < found["diagnostics"]["flagged_share_of_last value"] < 1
    assert "95 % interval" in found["diagnostics"]["false_alarms_promised"]
    names = set(found["baselines"]["last value"]) | {"delay_rows"}  # there is none where nothing is found
    assert all(set(own) | {"delay_rows"} == names for own in found["baselines"].values())
    assert (found["examples"], found["split"]) == (150, "test")


def test_the_report_shows_the_series_and_the_warning_is_given(
    watcher: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    succeed("evaluate", "--run", watcher)
    assert "Kim et al. 2022" in capsys.readouterr().err
    page = (watcher / "report.html").read_text()
    assert "What the detector flags" in page
    assert "Series machine, rows" in page


@pytest.mark.parametrize("method", ["dynamic", "extreme_value"])
def test_thresholds_can_be_tried_on_a_trained_run(
    method: str, watcher: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--detection.dynamic_window_steps", 150, "--detection.dynamic_buffer_steps", 2] * (method == "dynamic")
    found = answer(capsys, "evaluate", "--run", watcher, "--detection.threshold", method, *flags)
    assert found["event_recall"] >= 1 / 3
    assert found["event_precision"] >= 0.5


def test_settings_that_were_tried_can_be_kept(
    watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    monkeypatch.setattr("rnnapps.tasks.anomaly_detection.tuned_baselines.BASELINES", {"last": BASELINES["last value"]})
    run, other = tmp_path / "run", write_rows(tmp_path / "other.csv", seed=9, labels=False)
    shutil.copytree(watcher, run)

    def threshold() -> float:
        return answer(capsys, "predict", "--run", run, "--input", other)["results"][0]["threshold"]

    before, tried = (
        threshold(),
        ["--detection.threshold=extreme_value", "--detection.risk=0.05", "--detection.margin=1"],
    )
    assert "no other data.source" in complaint(capsys, "evaluate", "--run", run, "--keep", "--data.source", other)
    shown = answer(capsys, "evaluate", "--run", run, "--keep", *tried)
    assert answer(capsys, "evaluate", "--run", run) == shown
    assert "risk: 0.05" in (run / "config.yaml").read_text()
    kept = threshold()
    assert kept < before
    succeed("train", "--run", run)  # it goes on as it is

    def stop(*arguments: object) -> None:
        raise CheckpointError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr("rnnapps.verbs.keep.begin_run", stop)
        assert "stopped" in complaint(capsys, "evaluate", "--run", run, "--keep", "--detection.risk=0.01")
    assert "fitted for other settings" in complaint(capsys, "predict", "--run", run, "--input", other)
    succeed("evaluate", "--run", run, "--keep", "--detection.risk=0.01")
    assert threshold() > kept


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["autoencoder", "classifier"])
def test_other_detectors_go_the_whole_way(
    detector: str, tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    run = tmp_path / "run"
    if detector == "classifier":
        events = write_events(tmp_path / "events.csv")
        source = [
            "--data.source",
            events,
            "--data.entity",
            "card",
            "--data.label",
            "fraud",
            "--data.channels",
            "[amount]",
        ]
        extra = [
            "--model.series_units=0",
            "--model.history_steps=6",
            "--training.steps=250",
            "--training.evaluate_every=125",
            "--model.units=16",
            "--training.window_steps=128",
            "--detection.smoothing_steps=[1, 30]",
        ]
        kept = [each for each in SETTINGS if not each.startswith(("--data.label", "--training.steps", "--model.units"))]
        succeed("train", "--run", run, *source, "--model.detector", detector, *kept[:-1], *extra)
        found = answer(capsys, "evaluate", "--run", run)
        assert found["average_precision"] > found["baselines"]["gradient boosting"]["average_precision"] + 0.1
        assert found["roc_auc"] > 0.9
        lines = streamed(capsys, "--run", run, "--input", events)
        assert {line["series"] for line in lines} == {f"c{card}" for card in range(20)}
    else:
        sizes = ["--model.history_steps=6", "--model.code_units=2", "--training.window_steps=128"]
        steps = [*sizes, "--training.steps=120", "--training.evaluate_every=60"]
        succeed("train", "--run", run, "--data.source", table, "--model.detector", detector, *SETTINGS, *steps)
        found = answer(capsys, "evaluate", "--run", run)
        assert found["event_recall"] >= 2 / 3
    succeed("export", "--run", run, "--to", tmp_path / "models")
    assert rnnapps_main(["verify", str(tmp_path / "models" / "1")]) == 0


@pytest.mark.slow
def test_a_run_without_labels_says_what_it_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    plain = write_rows(tmp_path / "plain.csv", labels=False)
    succeed("train", "--run", tmp_path / "run", "--data.source", plain, *SETTINGS[1:], "--training.steps=30")
    found = answer(capsys, "evaluate", "--run", tmp_path / "run")
    assert found["flagged_events"] >= 1
    assert 0 < found["flagged_share"] < 1
