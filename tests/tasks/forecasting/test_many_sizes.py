"""Series of very different sizes learn side by side: a small one is forecast beside big ones as it is alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnnapps

ROWS = 700
NETWORK = {
    **{"cell": "gru", "units": 32, "history_steps": 96, "horizon_steps": 24, "segment_steps": 4},
    **{"linear": True, "loss_units": "window"},
}


def hours_of_many_sizes(count: int) -> dict[str, pd.DataFrame]:
    """Synthetic hours of sizes from 10 to 30,000, as competitions have them: days, weeks and noise that lasts."""
    draw, steps = np.random.default_rng(0), np.arange(ROWS)
    hours, frames = pd.date_range("2024-01-01", periods=ROWS, freq="h"), {}
    for size in np.geomspace(10, 30_000, count):
        noise = np.zeros(ROWS)
        for step in range(1, ROWS):
            noise[step] = 0.8 * noise[step - 1] + draw.normal()
        waves = [
            amplitude * draw.uniform(0.5, 1.5) * np.sin(2 * np.pi * (steps + draw.uniform(0, period)) / period)
            for amplitude, period in ((1.0, 24), (0.6, 12), (0.5, 168))
        ]
        frames[f"of size {size:.0f}"] = pd.DataFrame(
            {"v": size * (1 + 0.08 * (sum(waves) + 0.15 * noise))}, index=hours
        )
    return frames


@pytest.mark.slow
def test_small_series_are_forecast_beside_big_ones_as_they_are_alone(tmp_path: Path) -> None:
    every = hours_of_many_sizes(40)
    small = {name: frame for name, frame in every.items() if frame["v"].mean() < 100}
    mase = {}
    for name, frames in (("alone", small), ("beside big ones", every)):
        model = rnnapps.train(
            "forecasting", frames, run=tmp_path / name, model=NETWORK, steps=400, learning_rate=0.003, seed=1
        )
        evaluation = model.evaluate(small)
        mase[name] = evaluation.metrics["mase"]
        assert mase[name] < 0.9 * evaluation.baselines["seasonal naive"]["mase"]
    assert mase["beside big ones"] < 1.05 * mase["alone"]
