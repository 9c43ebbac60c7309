"""Anomaly detection through the command line: what a detector finds, says, streams, exports and keeps."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnapps.cli.main import main as rnnapps_main
from rnnapps.contract.fitted import Fitted
from rnnapps.errors import CheckpointError
from rnnapps.tasks.anomaly_detection.baselines import BASELINES
from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from tests.tasks.anomaly_detection.watched import (
    CHANNELS,
    SETTINGS,
    answer,
    complaint,
    healthy,
    succeed,
    write_events,
    write_plain,
    write_rows,
)
from tests.tasks.command import skip_report


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "machine.csv")


@pytest.fixture(scope="module")
def watcher(table: Path) -> Path:
    folder = table.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder, "--data.source", table, *SETTINGS)
    return folder


@pytest.fixture(scope="module")
def exported(watcher: Path) -> Path:
    succeed("export", "--run", watcher, "--to", watcher.parent / "models")
    return watcher.parent / "models" / "1"


def test_other_channels_than_the_models_are_refused_in_one_line(
    watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_rows(tmp_path / "other.csv", names=tuple(f"x{name}" for name in CHANNELS))
    said = complaint(capsys, "evaluate", "--run", watcher, "--data.source", other)
    assert f"has the channels x{CHANNELS[0]}, " in said and f"the model knows {CHANNELS[0]}, " in said


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


def test_predict_names_the_sensor_and_draws(watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_rows(tmp_path / "other.csv", seed=9, labels=False)
    picture = tmp_path / "picture.png"
    events = answer(capsys, "predict", "--run", watcher, "--input", other, "--picture", picture)["results"]
    jump = next(event for event in events if event["first_row"] <= 852 and event["last_row"] >= 850)
    assert next(iter(jump["sensors"])) == "angle"
    assert jump["series"] == "other"
    assert jump["first_time"].startswith("2024-01-01T14:1")
    assert jump["peak_score"] > jump["threshold"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    stuck = next(event for event in events if event["first_row"] <= 929 and event["last_row"] >= 905)
    assert next(iter(stuck["sensors"])) in ("angle", "double")


def test_a_dead_sensor_is_told_and_the_others_are_judged_as_before(
    watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead, gap = [slice(200, 800), 1], [slice(200, 500)]
    for name, missing in (("whole", []), ("dead", dead), ("gap", gap)):
        values = healthy(800, seed=11)
        for places in [tuple(missing)] if missing else []:
            values[places] = np.nan
        write_plain(tmp_path / "tables" / f"{name}.csv", values)
    rows = answer(capsys, "predict", "--run", watcher, "--input", tmp_path / "tables", "--rows", "true")["results"]
    flags = {
        name: np.array([row["flag"] for row in rows if row["series"] == name]) for name in ("whole", "dead", "gap")
    }
    assert flags["dead"][200:].mean() <= flags["whole"][200:].mean() + 0.02
    assert flags["gap"][500:550].mean() <= flags["whole"][500:550].mean() + 0.02
    missing = {name: [row["missing"] for row in rows if row["series"] == name] for name in flags}
    assert set(missing["whole"]) == {""}
    assert missing["dead"][208:] == ["", *["double"] * 591]
    assert missing["gap"] == [""] * 209 + ["(all)"] * 291 + [""] * 300
    events = answer(capsys, "predict", "--run", watcher, "--input", tmp_path / "tables")["results"]
    silences = [event for event in events if event["kind"] != "anomaly"]
    assert [
        (event["series"], event["kind"], event["first_row"], event["last_row"], list(event["sensors"]))
        for event in silences
    ] == [("dead", "sensor missing", 200, 799, ["double"]), ("gap", "all silent", 200, 499, list(CHANNELS))]
    assert not any({"peak_score", "threshold"} & set(event) for event in silences)


def streamed(capsys: pytest.CaptureFixture[str], *argv: object) -> list[dict[str, str]]:
    capsys.readouterr()
    succeed("stream", *argv)
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_stream_flags_lines_as_they_come(
    watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_rows(tmp_path / "other.csv", seed=9, labels=False)
    lines = streamed(capsys, "--run", watcher, "--input", other)
    assert len(lines) == 1000
    assert lines[0]["line"] == "2"
    assert lines[850]["flag"] == "1"
    assert lines[850]["sensor"] == "angle"
    assert sum(int(line["flag"]) for line in lines[:850]) < 20
    bare = "\n".join(",".join(f"{value:.5f}" for value in row) for row in healthy(40, seed=3))
    monkeypatch.setattr(sys, "stdin", io.StringIO(bare + "\n9,9,9\n,nan,0\n"))
    flagged = streamed(capsys, "--run", watcher, "--only_flags", "true")
    assert flagged[-1]["line"] in ("41", "42")
    monkeypatch.setattr(sys, "stdin", io.StringIO(bare + "\n" + ",,\n" * 20 + bare + "\n"))
    told = [line for line in streamed(capsys, "--run", watcher, "--only_flags", "true") if line["flag"] == "0"]
    assert [(line["line"], line["missing"]) for line in told] == [("50", "(all)"), ("61", "")]
    assert any(line["line"] == "41" for line in flagged)


def test_steps_of_the_export_equal_its_windows(exported: Path) -> None:
    import tensorflow as tf

    served = tf.saved_model.load(str(exported)).signatures
    rows = np.stack([healthy(60, seed=seed) for seed in (3, 4)])
    rows[0, 30, 0] += 3
    rows[1, 12, 1] = 1e30
    lengths = tf.constant([60, 60])
    whole = {
        name: each.numpy() for name, each in served["serving_default"](rows=tf.constant(rows), lengths=lengths).items()
    }
    expected = served["step"].structured_input_signature[1]
    first = {
        name: tf.zeros([2, *spec.shape[1:]], spec.dtype) for name, spec in expected.items() if name.startswith("state_")
    }
    for sizes in ([1] * 60, [17, 0, 3, 40]):
        state, start = first, 0
        for size in sizes:
            chunk = np.pad(rows[:, start : start + size], [(0, 0), (0, 2), (0, 0)], constant_values=7.0)
            answers = served["step"](rows=tf.constant(chunk), lengths=tf.constant([size, size]), **state)
            assert not any(answers["problem"].numpy())
            state = {name: answers[f"next_{name}"] for name in state}
            for name in ("score", "threshold", "flag", "contribution", "missing", "silent"):
                assert np.allclose(whole[name][:, start : start + size], answers[name][:, :size], atol=1e-5), name
                assert not answers[name][:, size:].numpy().any()
            start += size
    assert whole["flag"][0, 30]
    assert whole["contribution"][0, 30].argmax() == 0
    assert all(np.isfinite(array).all() for name, array in whole.items() if name != "problem")
    short = served["serving_default"](rows=tf.constant(rows), lengths=tf.constant([20, 60]))
    assert np.allclose(short["score"][0, :20], whole["score"][0, :20], atol=1e-6)
    assert not short["score"][0, 20:].numpy().any()


def test_the_export_is_verified_and_knows_its_thresholds(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["verify", str(exported)]) == 0
    manifest = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    assert {"serving_default", "step", "tensors"} == set(manifest["signatures"])


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


def test_sensors_are_matched_by_name_when_fine_tuning(
    watcher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnapps.training.run import RunFolder
    from rnnapps.training.state import read_weights

    skip_report(monkeypatch)
    renamed = write_rows(tmp_path / "new.csv", names=("noise", "extra", "angle"))
    run = tmp_path / "tuned"
    arguments = ["--from", watcher, "--run", run, "--data.source", renamed, "--training.steps", 1]
    report = answer(capsys, "finetune", *arguments, "--training.learning_rate", "1e-9")["transfer"]
    assert report["grown"]["from_values/kernel"] == 1
    old, new = (read_weights(RunFolder(folder))[1] for folder in (watcher, run))
    places = [CHANNELS.index("noise"), CHANNELS.index("angle")]
    assert np.allclose(new["from_values/kernel"][[0, 2]], old["from_values/kernel"][places], atol=1e-6)
    scaler = json.loads((run / "preprocessing" / "scaler.json").read_text())
    before = json.loads((watcher / "preprocessing" / "scaler.json").read_text())
    assert scaler["channels"] == ["noise", "extra", "angle"]
    assert scaler["series"] == ["machine", "new"]
    for row in (0, 1):  # of a series that is not known, and of the one that was
        assert scaler["centre"][row][0] == before["centre"][row][2]
        assert scaler["centre"][row][2] == before["centre"][row][0]


def test_only_training_rows_are_learned_from(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the rows after the training rows hold, scales and batches are the same."""
    from rnnapps.cli.arguments import parse_arguments

    lines = table.read_text().splitlines()
    lines[701:] = [",".join([line.split(",")[0], "1e6", "-1e6", "77", "0"]) for line in lines[701:]]
    changed = tmp_path / "machine.csv"
    changed.write_text("\n".join(lines) + "\n")
    seen = []
    for source in (table, changed):
        config = parse_arguments(PIPELINE, "train", ["--data.source", str(source), *SETTINGS]).config
        splits = PIPELINE.examples(config)
        rows = PIPELINE.fit_preprocessor(config, splits)
        network = PIPELINE.build_model(config, rows)
        batches = PIPELINE.objective(Fitted(config, rows, network), splits).batches(0)
        arrays = [batch["inputs"]["values"].numpy() for batch in batches.take(20)]
        seen.append((rows.scaler.centre, rows.scaler.scale, np.stack(arrays)))
    for one, other in zip(*seen, strict=True):
        assert np.array_equal(one, other)


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
