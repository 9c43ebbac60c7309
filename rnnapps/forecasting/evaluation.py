"""Scores of a forecaster beside naive forecasts on the same windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from rnnapps.forecasting.baselines import Baseline, fit_baselines
from rnnapps.forecasting.forecast_config import ForecastModelConfig
from rnnapps.forecasting.splits import SeriesSplits
from rnnapps.forecasting.windows import ForecastWindows, Scored
from rnnapps.metrics.forecast import ForecastScores, seasonal_scale
from rnnapps.pipeline import Evaluation
from rnnapps.preprocessing.series_features import SeriesFeatures

__all__ = ["Compared", "compare", "evaluate_forecasts"]

Array = np.ndarray[Any, Any]
MOST_WINDOWS = 20_000
MODEL = "model"


@dataclass(frozen=True)
class Compared:
    """Scores of a split.

    Attributes:
        scores: "model" and the name of each baseline -> its scores.
        windows: number of scored windows.
        stride: every how many-th window was scored.
        split: "test" or "validation".
    """

    scores: Mapping[str, ForecastScores]
    windows: int
    stride: int
    split: str


def evaluate_forecasts(
    config: ForecastModelConfig, network: keras.Model, features: SeriesFeatures, splits: SeriesSplits
) -> Evaluation:
    """The model and its baselines on every window of the test split, or of the validation split without a test.

    Of more than 20,000 windows, 20,000 evenly spread ones are scored.
    """
    compared = compare(config, network, features, splits)
    model = compared.scores[MODEL]
    percent = round(100 * model.interval)
    covered = {name: 100 * scores.coverage for name, scores in compared.scores.items()}
    diagnostics = {f"coverage_of_{percent}_percent_interval, {name}": value for name, value in covered.items()}
    channels = zip(features.scaler.channels, model.by_channel(), strict=True)
    diagnostics |= {f"mse_scaled of {name}": float(value) for name, value in channels}
    if compared.stride > 1:
        diagnostics["scored every n-th window, n"] = float(compared.stride)
    return Evaluation(
        metrics=model.metrics(),
        baselines={name: scores.metrics() for name, scores in compared.scores.items() if name != MODEL},
        examples=compared.windows,
        split=compared.split,
        diagnostics=diagnostics,
    )


def compare(
    config: ForecastModelConfig, network: keras.Model, features: SeriesFeatures, splits: SeriesSplits
) -> Compared:
    """Scores model and baselines on the same windows and the same values."""
    split = "test" if splits.parts.test else "validation"
    held_out = ForecastWindows(getattr(splits.parts, split), features, config)
    train = ForecastWindows(splits.parts.train, features, config)
    validation = ForecastWindows(splits.parts.validation, features, config)
    baselines = fit_baselines(train, validation, season_steps=features.season_steps, levels=config.quantiles)
    rows = {part.series.name: part.rows().values for part in splits.parts.train}
    nothing = np.zeros((0, len(features.scaler.channels)))
    seasonal = np.stack(
        [seasonal_scale(rows.get(part.series.name, nothing), features.season_steps) for part in held_out.stored.parts]
    )
    scores = {
        name: ForecastScores(
            config.horizon_steps, quantiles=config.quantiles, scale=features.scaler.scale, seasonal=seasonal
        )
        for name in (MODEL, *baselines)
    }
    windows, stride = 0, held_out.stride(MOST_WINDOWS)
    for batch in held_out.scored(network, stride=stride):
        _add(scores, baselines, batch, features)
        windows += len(batch.part)
    return Compared(scores, windows, stride, split)


def _add(
    scores: Mapping[str, ForecastScores], baselines: Mapping[str, Baseline], batch: Scored, features: SeriesFeatures
) -> None:
    scaler = features.scaler
    history = scaler.apply_array(batch.history)
    means = {name: baseline.mean(history) for name, baseline in baselines.items()}
    unforecast = np.any([np.isnan(mean) for mean in means.values()], axis=0)
    actual = np.where(unforecast, np.nan, batch.actual)
    scores[MODEL].add(actual, batch.mean, batch.quantiles, batch.part)
    for name, mean in means.items():
        quantiles = baselines[name].quantiles(mean)
        raw = scaler.invert_array(quantiles.swapaxes(2, 3)).swapaxes(2, 3)
        scores[name].add(actual, scaler.invert_array(mean), raw, batch.part)
