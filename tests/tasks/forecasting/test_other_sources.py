"""Scores of another source than a run's say so, and the baselines learn from what the model learned from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.series import SplitSeries
from rnnapps.errors import DataError
from rnnapps.metrics.verdict import judge
from rnnapps.tasks.forecasting.evaluation import evaluate_forecasts
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.network import forecast_network
from rnnapps.tasks.forecasting.objective import forecast_objective
from rnnapps.tasks.forecasting.pipeline import PIPELINE, Config
from rnnapps.tasks.forecasting.preprocessing import fit_features, own_data
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import SeriesSplits, split_source
from tests.tasks.forecasting.forecasts import wave, write_wave

MODEL = ForecastModelConfig(units=4, history_steps=12, horizon_steps=3, quantiles=(0.1, 0.5, 0.9), calendar="none")
ROWS = 300


def opened(path: Path) -> tuple[SeriesDataConfig, SeriesSplits, SeriesFeatures]:
    data = SeriesDataConfig(source=str(path))
    splits = split_source(data)
    return data, splits, fit_features(data, MODEL, splits.parts.train)


def evaluated(features: SeriesFeatures, splits: SeriesSplits, taught: SplitSeries | None) -> Evaluation:
    keras.utils.set_random_seed(0)
    network = forecast_network(MODEL, channels=2, series=1)
    return evaluate_forecasts(MODEL, network, features, splits, taught=taught)


def test_baselines_on_another_source_learn_from_the_rows_of_the_run(tmp_path: Path) -> None:
    """Of two sources with the same test rows, one with noise before them: what they taught differs, the rest not."""
    values = wave(ROWS)
    noise = np.random.default_rng(9).normal(50, 10, size=values.shape)
    _, _, features = opened(write_wave(tmp_path / "own.csv", values))
    spoilt = np.where(np.arange(ROWS)[:, None] < 240, noise, values)
    other, splits, _ = opened(write_wave(tmp_path / "other.csv", spoilt))
    taught, note = own_data(features, other)
    assert taught is not None
    told = f"these are scores of {other.source}; the model was trained on {tmp_path / 'own.csv'}"
    assert note == f"{told}, and so were the baselines"
    linear, naive = "linear (ridge)", "last value"
    found, without = (evaluated(features, splits, parts).baselines for parts in (taught, None))
    # The first windows of the test look back on rows that are noise in the other source.
    assert found[linear]["mse_scaled"] < 0.8 * without[linear]["mse_scaled"]
    assert found[naive]["mse_scaled"] == pytest.approx(without[naive]["mse_scaled"])


def test_the_source_of_the_run_itself_is_no_other(tmp_path: Path) -> None:
    data, _, features = opened(write_wave(tmp_path / "own.csv", wave(60)))
    assert own_data(features, data) == (None, "")
    (tmp_path / "own.csv").unlink()
    taught, note = own_data(features, dataclasses.replace(data, source="new.csv"))
    assert taught is None and note.endswith("cannot be read any more, so the baselines learned from rows of new.csv")


def test_other_channels_than_the_models_are_refused_in_one_line(tmp_path: Path) -> None:
    _, _, features = opened(write_wave(tmp_path / "own.csv", wave(60)))
    _, others, _ = opened(write_wave(tmp_path / "other.csv", wave(60), names="north,south"))
    fitted = Fitted(Config(), features, forecast_network(MODEL, channels=2, series=1))
    with pytest.raises(
        DataError, match=r"other.csv: series 'other' has the channels north, south; the model knows .*--data"
    ):
        PIPELINE.evaluate(fitted, others)


def test_a_verdict_is_drawn_from_stretches_of_windows(tmp_path: Path) -> None:
    _, splits, features = opened(write_wave(tmp_path / "own.csv", wave(ROWS)))
    evaluation = evaluated(features, splits, None)
    assert evaluation.comparison is not None
    for name, blocks in evaluation.comparison.statistics.items():
        metrics = evaluation.metrics if name == "model" else evaluation.baselines[name]
        assert evaluation.comparison.score(blocks.sum(axis=0)) == pytest.approx(metrics["mse_scaled"])
    verdict = judge(evaluation, higher_is_better=frozenset())
    assert (verdict.metric, verdict.part) == ("mse_scaled", "stretches of neighbouring windows")
    assert verdict.parts == -(-evaluation.examples // int(evaluation.examples**0.5))


def test_the_best_step_is_told_by_the_loss(tmp_path: Path) -> None:
    _, splits, features = opened(write_wave(tmp_path / "own.csv", wave(100)))
    for units in ("window", "channel"):
        config = dataclasses.replace(MODEL, loss_units=units)  # type: ignore[arg-type]
        network = forecast_network(config, channels=2, series=1)
        objective = forecast_objective(config, network, features, splits, batch_size=4, seed=0)
        assert objective.metric == "validation_loss" and np.isfinite(objective.validate()["validation_loss"])


def test_runs_from_before_read_their_one_scale_for_all(tmp_path: Path) -> None:
    _, _, features = opened(write_wave(tmp_path / "own.csv", wave(60)))
    features.save(tmp_path)
    stored = json.loads((tmp_path / "series.json").read_text())
    del stored["source"]
    (tmp_path / "series.json").write_text(json.dumps({**stored, "series": ["a", "b"]}))
    old = {"method": "standard", "channels": ["east", "west"], "centre": [1.0, 2.0], "scale": [3.0, 4.0]}
    (tmp_path / "scaler.json").write_text(json.dumps(old))
    loaded = SeriesFeatures.load(tmp_path)
    assert loaded.series == ("a", "b")
    np.testing.assert_array_equal(loaded.scaler.scale, [[3, 4]] * 3)
    assert own_data(loaded, SeriesDataConfig(source="any.csv")) == (None, "")
