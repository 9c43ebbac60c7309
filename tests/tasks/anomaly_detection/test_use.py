"""A trained detector at work: events, sensors that are gone, and rows as they come."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tasks.anomaly_detection.watched import (
    CHANNELS,
    answer,
    healthy,
    streamed,
    write_plain,
    write_rows,
)


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
