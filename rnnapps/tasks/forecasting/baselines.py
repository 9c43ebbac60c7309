"""Naive and linear forecasts with intervals of their own, to be scored on the same windows as a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.forecasting.calibration import conformal_shift
from rnnapps.tasks.forecasting.naive_forecasts import (
    LINEAR,
    LINEAR_BY_WINDOW,
    LinearForecast,
    best_season,
    drift,
    last_value,
    seasonal_mean,
    seasonal_naive,
    two_seasons_mean,
    two_seasons_naive,
)
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.windows import ForecastWindows, Histories
from rnnapps.types import Array

__all__ = ["Baseline", "best_seasons", "fit_baselines", "linear_regressions"]

Mean = Callable[[Array, Array], Array]
"""Maps (histories, rows of a season of each) to forecasts, see `Baseline`."""
Seasonal = Callable[[Array, int, int], Array]
MOST_TRAINING_WINDOWS = 10_000
MOST_CALIBRATION_WINDOWS = 1500
MOST_SEASON_WINDOWS = 300
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True)
class Baseline:
    """A forecast of histories, each in units of its own.

    Attributes:
        mean: maps histories `(windows, history, channels)` and the rows of a season of each `(windows,)` to forecasts
            `(windows, horizon, channels)`.
        shift: quantiles less mean, from the errors on validation windows `(horizon, channels, quantiles)`.
    """

    mean: Mean
    shift: Array

    def quantiles(self, mean: Array) -> Array:
        """Quantiles `(windows, horizon, channels, quantiles)` around a mean."""
        return np.sort(mean[..., None] + self.shift, axis=-1)


def fit_baselines(train: ForecastWindows, validation: ForecastWindows, levels: Sequence[float]) -> dict[str, Baseline]:
    """Last value, seasonal naive and mean, of one season or two, drift, and ridge regression learned from windows.

    What each leaves open is chosen on validation windows, by the mean squared error in units of the series: the length
    of the season, and the penalty of the regression. The regression is fitted twice: with errors in units of the
    series, and in those of each window, as a network with `loss_units: window` learns. The quantiles of all are the
    empirical ones of their errors on validation windows, as the model's are moved to.

    Args:
        train: at most 10,000 of its windows, evenly spread, teach the regression.
        validation: at most 1,500 of its windows choose, and give the quantiles.
        levels: probabilities of the quantiles.
    """
    horizon = train.config.horizon_steps
    held_out = list(validation.histories(stride=validation.stride(MOST_CALIBRATION_WINDOWS)))
    seasons = best_seasons(held_out)
    means: dict[str, Mean] = {"last value": lambda history, _: last_value(history, horizon)}
    if max(seasons.values()) > 1:
        means["seasonal naive"] = _by_season(seasonal_naive, seasons, horizon)
        means["seasonal mean"] = _by_season(seasonal_mean, seasons, horizon)
    means |= _by_two_seasons(train.features, horizon)
    means["drift"] = lambda history, _: drift(history, horizon)
    means |= {name: _regressed(own) for name, own in linear_regressions(train, held_out).items()}
    baselines = {}
    for name, mean in means.items():
        errors = np.concatenate([own.future - mean(own.history, own.season) for own in held_out])
        distance = np.broadcast_to(errors[..., None], (*errors.shape, len(levels)))
        baselines[name] = Baseline(mean, conformal_shift(distance, tuple(levels)))
    return baselines


def linear_regressions(train: ForecastWindows, held_out: Sequence[Histories]) -> dict[str, LinearForecast]:
    """Both regressions, each with the penalty that does best on held-out windows; see `fit_baselines`."""
    by_series, by_window = (LinearForecast(train.history_steps, train.config.horizon_steps) for _ in range(2))
    for windows in train.histories(stride=train.stride(MOST_TRAINING_WINDOWS)):
        by_series.add(windows.history, windows.future, windows.ratio)
        by_window.add(windows.history, windows.future)

    def best(linear: LinearForecast) -> LinearForecast:
        tried = [linear.penalised(penalty) for penalty in PENALTIES]
        return min(tried, key=lambda one: _error(_regressed(one), held_out))

    return {LINEAR: best(by_series), LINEAR_BY_WINDOW: best(by_window)}


def _regressed(linear: LinearForecast) -> Mean:
    """The forecast of a regression, which knows of no season."""
    return lambda history, _: linear.predict(history)


def _error(mean: Mean, held_out: Sequence[Histories]) -> float:
    """Mean squared error in units of the series."""
    errors = [(own.future - mean(own.history, own.season)) * own.ratio for own in held_out]
    every = np.concatenate([error[np.isfinite(error)] for error in errors])
    return float(np.mean(np.square(every))) if len(every) else float("inf")


def best_seasons(held_out: Sequence[Histories]) -> dict[int, int]:
    """For each usual length of a season, of series of one frequency, the length that does best on their windows."""
    tables = (np.concatenate(column) for column in zip(*held_out, strict=True))
    every = Histories(*tables)
    seasons = {}
    for usual in np.unique(every.season):
        rows = np.flatnonzero(every.season == usual)
        rows = rows[:: -(-len(rows) // MOST_SEASON_WINDOWS)]
        seasons[int(usual)] = best_season(every.history[rows], every.future[rows], every.ratio[rows], int(usual))
    return seasons


def _by_two_seasons(features: SeriesFeatures, horizon: int) -> dict[str, Mean]:
    """Forecasts of series that have two seasons, where that is said."""
    seasons = features.season_steps, features.second_season_steps
    if not features.second_season_steps:
        return {}
    return {
        "two seasons, naive": lambda history, _: two_seasons_naive(history, horizon, seasons),
        "two seasons, mean": lambda history, _: two_seasons_mean(history, horizon, seasons),
    }


def _by_season(forecast: Seasonal, seasons: Mapping[int, int], horizon_steps: int) -> Mean:
    """Forecasts of windows whose series have seasons of different lengths."""

    def mean(history: Array, usual: Array) -> Array:
        table = np.empty((len(history), horizon_steps, history.shape[2]), history.dtype)
        for season in np.unique(usual):
            rows = usual == season
            table[rows] = forecast(history[rows], horizon_steps, seasons.get(int(season), int(season)))
        return table

    return mean
