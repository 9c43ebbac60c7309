"""Scores of a forecaster beside naive forecasts on the same windows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.data.series.series import SeriesPart, SplitSeries
from rnnapps.metrics.parts import ratio
from rnnapps.tasks.forecasting.baselines import Baseline, fit_baselines
from rnnapps.tasks.forecasting.blend.fit import mixes, network_alone
from rnnapps.tasks.forecasting.calibration import CalibrationErrors, recalibrated
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.scores import ForecastScores, seasonal_scale
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import SeriesSplits
from rnnapps.tasks.forecasting.windows import ForecastWindows, Scored

__all__ = ["NETWORK", "Compared", "compare", "evaluate_forecasts", "make_scores", "score"]

MOST_WINDOWS = 20_000

NETWORK = "network alone"
"""The name of a model's network in `Compared.scores`, where it is blended with linear forecasts."""


@dataclass(frozen=True)
class Compared:
    """Scores of a split.

    Attributes:
        scores: "model", `NETWORK` where there is more to the model, and the name of each baseline -> its scores.
        windows: number of scored windows.
        stride: every how many-th window was scored.
        split: "test" or "validation".
    """

    scores: Mapping[str, ForecastScores]
    windows: int
    stride: int
    split: str

    def evaluation(self, channels: Sequence[str]) -> Evaluation:
        """The scores as a table."""
        model = self.scores[MODEL]
        baselines = {name: scores for name, scores in self.scores.items() if name not in (MODEL, NETWORK)}
        interval = f"coverage_of_{round(100 * model.interval)}_percent_interval"
        diagnostics = {f"{interval}, {name}": 100 * scores.coverage for name, scores in self.scores.items()}
        by_channel = zip(channels, model.by_channel(), strict=True) if len(channels) > 1 else ()
        diagnostics |= {f"mse_scaled of {name}": float(value) for name, value in by_channel}
        if self.stride > 1:
            diagnostics["scored every n-th window, n"] = float(self.stride)
        return Evaluation(
            metrics=model.metrics(),
            baselines={name: scores.metrics() for name, scores in baselines.items()},
            examples=self.windows,
            split=self.split,
            diagnostics=diagnostics,
            comparison=Comparison(
                "mse_scaled",
                {name: scores.blocks() for name, scores in {MODEL: model, **baselines}.items()},
                ratio,
                "stretches of neighbouring windows",
            ),
            alone={NETWORK: self.scores[NETWORK].metrics()} if NETWORK in self.scores else {},
        )


def evaluate_forecasts(
    config: ForecastModelConfig,
    network: keras.Model,
    features: SeriesFeatures,
    splits: SeriesSplits,
    *,
    taught: SplitSeries | None = None,
) -> Evaluation:
    """The model and its baselines on every window of the test split, or of the validation split without a test.

    Of more than 20,000 windows, 20,000 evenly spread ones are scored.

    Args:
        config: of the model.
        network: from `forecast_network`.
        features: scales and levels.
        splits: what is scored.
        taught: what the baselines learn from, where that is not the data that is scored.
    """
    split: Literal["validation", "test"] = "test" if splits.parts.test else "validation"
    return compare(config, network, features, splits, split=split, taught=taught).evaluation(features.scaler.channels)


def compare(
    config: ForecastModelConfig,
    network: keras.Model,
    features: SeriesFeatures,
    splits: SeriesSplits,
    *,
    split: Literal["validation", "test"],
    most_windows: int = MOST_WINDOWS,
    taught: SplitSeries | None = None,
) -> Compared:
    """Scores model and baselines on the same windows and the same values of a split; see `evaluate_forecasts`."""
    held_out = ForecastWindows(getattr(splits.parts, split), features, config)
    own = taught or splits.parts
    train = ForecastWindows(own.train, features, config)
    validation = ForecastWindows(own.validation, features, config)
    baselines = fit_baselines(train, validation, config.quantiles)
    names = (MODEL, *baselines, *([NETWORK] if mixes(network) else []))
    scores = make_scores(config, features, names, parts=held_out.stored.parts, train=splits.parts.train)
    stride = held_out.stride(most_windows)
    if NETWORK in scores:
        with _alone(network, validation, config):
            score({MODEL: scores[NETWORK]}, network, baselines, held_out, stride=stride)
    rest = {name: own for name, own in scores.items() if name != NETWORK}
    windows = score(rest, network, baselines, held_out, stride=stride)
    return Compared(scores, windows, stride, split)


@contextlib.contextmanager
def _alone(network: keras.Model, validation: ForecastWindows, config: ForecastModelConfig) -> Iterator[None]:
    """Lets a network forecast without its blend, with intervals of its own, for a while."""
    with (
        network_alone(network),
        recalibrated(network, CalibrationErrors.measure(network, validation), config.quantiles),
    ):
        yield


def make_scores(
    config: ForecastModelConfig,
    features: SeriesFeatures,
    names: Sequence[str],
    *,
    parts: Sequence[SeriesPart],
    train: Sequence[SeriesPart],
) -> dict[str, ForecastScores]:
    """Empty scores for each name; the units of MASE are those of the training rows of the parts' series."""
    rows = {part.series.name: part.rows().values for part in train}
    nothing = np.zeros((0, len(features.scaler.channels)))
    scale = np.stack([features.error_unit(part.series) for part in parts])
    seasonal = [seasonal_scale(rows.get(part.series.name, nothing), features.season(part.series)) for part in parts]
    return {
        name: ForecastScores(config.horizon_steps, quantiles=config.quantiles, scale=scale, seasonal=np.stack(seasonal))
        for name in names
    }


def score(
    scores: Mapping[str, ForecastScores],
    network: keras.Model,
    baselines: Mapping[str, Baseline],
    windows: ForecastWindows,
    *,
    stride: int = 1,
) -> int:
    """Adds the windows of a split to the scores; returns their number."""
    count = 0
    for batch in windows.scored(network, stride=stride):
        _add(scores, baselines, batch, windows)
        count += len(batch.part)
    return count


def _add(
    scores: Mapping[str, ForecastScores], baselines: Mapping[str, Baseline], batch: Scored, windows: ForecastWindows
) -> None:
    """Adds a batch to all scores; only values that every baseline forecasts count, so that all are scored alike."""
    centre, unit = batch.own.centre, batch.own.unit
    means = {name: baseline.mean(batch.own.history, batch.own.season) for name, baseline in baselines.items()}
    unforecast = np.any([np.isnan(mean) for mean in means.values()], axis=0)
    actual = np.where(unforecast, np.nan, batch.actual)
    scores[MODEL].add(actual, batch.mean, batch.quantiles, batch.part)
    for name, mean in means.items():
        if name not in scores:
            continue
        quantiles = baselines[name].quantiles(mean)
        raw = centre[..., None] + unit[..., None] * quantiles
        scores[name].add(actual, centre + unit * mean, raw, batch.part)
