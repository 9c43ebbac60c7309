"""What a detector learns from: training rows alone, and sensors by their names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rnnapps.contract.fitted import Fitted
from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from tests.tasks.anomaly_detection.watched import (
    CHANNELS,
    SETTINGS,
    answer,
    write_rows,
)
from tests.tasks.command import skip_report


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
