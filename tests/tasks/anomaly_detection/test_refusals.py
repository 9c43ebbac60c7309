"""What anomaly detection refuses, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.anomaly_detection.watched import (
    CHANNELS,
    SETTINGS,
    complaint,
    write_rows,
)


def test_other_channels_than_the_models_are_refused_in_one_line(
    watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_rows(tmp_path / "other.csv", names=tuple(f"x{name}" for name in CHANNELS))
    said = complaint(capsys, "evaluate", "--run", watcher, "--data.source", other)
    assert f"has the channels x{CHANNELS[0]}, " in said and f"the model knows {CHANNELS[0]}, " in said


DEFAULTS = ("--training.window_steps=128", "--detection.smoothing_steps=[1, 30]")
"""Of what a classifier does not read."""


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (["--model.bidirectional=true"], "model.bidirectional must be false"),
        (["--training.carry_state=true"], "training.carry_state must be false"),
        (["--detection.quantile=2"], "detection.quantile must be above 0 and below 1, not 2"),
        (["--detection.smoothing_steps=[]"], "detection.smoothing_steps must be"),
        (["--detection.smoothing_steps=[1, 2, 3, 4, 5]"], "detection.smoothing_steps must be"),
        (["--model.detector=oracle"], "model.detector must be one of forecaster, autoencoder, classifier"),
        (["--model.detector=classifier", "--data.targets=[angle]"], "data.targets chooses channels to watch"),
        (["--model.detector=classifier", *DEFAULTS], "the training rows hold 0 faults and 700 normal rows"),
        (["--model.detector=classifier"], "would change nothing: model.detector classifier does not read it"),
        (["--data.targets=[speed]"], "has no channel 'speed' for data.targets"),
        (["--data.labels=missing.csv", "--data.label="], "missing.csv: does not exist"),
        (["--training.window_steps=0"], "training.window_steps must be at least 1"),
    ],
)
def test_bad_settings_are_one_line(
    settings: list[str], problem: str, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert problem in complaint(capsys, "train", "--run", run, "--data.source", table, *SETTINGS, *settings)
    assert not (run / "config.yaml").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "empty"),
        ("time,angle,double\n2024-01-01,1,2\n", "noise"),
        ("time,angle,double,noise\n2024-01-01,1,2,three\n", "three"),
        ("time,angle,double,noise\n2024-01-01,1,2,3\n2024-01-01,1,2,3\n", "occurs twice"),
        ("time,angle,double,noise\nyesterday,1,2,3\n", "yesterday"),
    ],
)
def test_bad_input_is_one_line(
    content: str, problem: str, watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(content)
    message = complaint(capsys, "predict", "--run", watcher, "--input", bad)
    assert "bad.csv" in message
    assert problem in message


def test_bad_paths_are_one_line(watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        assert str(path) in complaint(capsys, "stream", "--run", watcher, "--input", path, printed=True)
    picture = complaint(capsys, "predict", "--run", watcher, "--input", tmp_path, "--picture", "x.gif")
    assert "must end in .png or .svg" in picture


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("time,angle,double\n", "line 1: has no column 'noise'"),
        ("angle,double,noise\n1,2\n", "line 2: has 2 cells; expected 3"),
        ("angle,double,noise\n1,2,3\n1,2,drei\n", "line 3, column 'noise': 'drei' is no number"),
        ("1,2\n", "line 1: has 2 cells; expected 3"),
    ],
)
def test_bad_lines_are_one_line(
    lines: str, problem: str, watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(lines)
    asked = ("stream", "--run", watcher, "--input", bad, "--bad_rows", "stop")
    assert problem in complaint(capsys, *asked, printed=True)
