"""A meter of eight digits, from its file to what is served: steps that float32 cannot hold there survive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rnnapps
from rnnapps.export.inference import load_for_inference
from tests.tasks.command import skip_report

HISTORY, HORIZON, ROWS = 24, 6, 200
NETWORK = {
    **{"cell": "gru", "units": 8, "history_steps": HISTORY, "horizon_steps": HORIZON, "linear": True},
    **{"normalization": "difference", "calendar": "none"},
}


@pytest.mark.slow
def test_steps_of_an_eight_digit_meter_survive_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = 123_456_789.25 + 0.13 * np.arange(ROWS + HORIZON)
    hours = np.datetime64("2025-01-01T00:00") + 60 * np.arange(ROWS)
    rows = [f"{hour},{reading:.2f}\n" for hour, reading in zip(hours, readings, strict=False)]
    (tmp_path / "meter.csv").write_text("time,kwh\n" + "".join(rows))
    skip_report(monkeypatch)
    settings = {"steps": 1000, "evaluate_every": 100, "learning_rate": 0.01, "batch_size": 16, "compile": "graph"}
    model = rnnapps.train("forecasting", tmp_path / "meter.csv", run=tmp_path / "run", model=NETWORK, **settings)
    forecast = model.predict(tmp_path / "meter.csv")
    np.testing.assert_allclose(forecast["mean"], readings[ROWS:], rtol=0, atol=0.005)
    served = load_for_inference(model.export(tmp_path / "models")).run(
        "serving_default",
        {"history": readings[None, :ROWS, None], "lengths": np.array([ROWS], np.int32)},
    )
    np.testing.assert_allclose(served["mean"][0, :, 0], readings[ROWS:], rtol=0, atol=0.005)
