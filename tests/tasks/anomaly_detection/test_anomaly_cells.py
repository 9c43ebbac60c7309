"""Every cell goes the whole way as a detector, by its name alone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from tests.tasks.anomaly_detection.watched import SETTINGS, answer, succeed, write_rows
from tests.tasks.command import skip_report

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_goes_the_whole_way(
    cell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    table, run, models = write_rows(tmp_path / "machine.csv"), tmp_path / "run", tmp_path / "models"
    succeed("train", "--run", run, "--data.source", table, "--model.cell", cell, *SETTINGS)
    found = answer(capsys, "evaluate", "--run", run)
    assert found["event_recall"] >= 1 / 3
    assert math.isfinite(found["vus_pr"])
    events = answer(capsys, "predict", "--run", run, "--input", table)["results"]
    assert all(event["sensors"] for event in events)
    succeed("export", "--run", run, "--to", models)
    assert rnnapps_main(["verify", str(models / "1")]) == 0
