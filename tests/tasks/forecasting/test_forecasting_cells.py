"""Every cell goes the whole way as a forecaster, by its name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from tests.tasks.command import skip_report
from tests.tasks.forecasting.forecasts import HORIZON, SETTINGS, answer, succeed, wave, write_wave

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("decoder", ["direct", "autoregressive"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_goes_the_whole_way(
    cell: str, decoder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    table, run, models = write_wave(tmp_path / "wave.csv", wave()), tmp_path / "run", tmp_path / "models"
    chosen = ("--model.cell", cell, "--model.decoder", decoder, "--training.steps=60", "--training.evaluate_every=30")
    succeed("train", "--run", run, "--data.source", table, *SETTINGS, *chosen)
    found = answer(capsys, "evaluate", "--run", run)
    assert found["mse_scaled"] < found["baselines"]["last value"]["mse_scaled"]
    assert len(answer(capsys, "predict", "--run", run, "--input", table)["results"]) == 2 * HORIZON
    succeed("export", "--run", run, "--to", models)
    assert rnnapps_main(["verify", str(models / "1")]) == 0
