"""Naive forecasts with intervals of their own, to be scored on the same windows as a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.forecasting.calibration import conformal_shift
from rnnapps.tasks.forecasting.naive_forecasts import LinearForecast, drift, last_value, seasonal_naive
from rnnapps.tasks.forecasting.windows import ForecastWindows
from rnnapps.types import Array

__all__ = ["LINEAR", "Baseline", "fit_baselines"]

Mean = Callable[[Array, Array], Array]
"""Maps (scaled histories, rows of a season of each) to forecasts, see `Baseline`."""
LINEAR = "linear (ridge)"
MOST_TRAINING_WINDOWS = 10_000
MOST_CALIBRATION_WINDOWS = 1500


@dataclass(frozen=True)
class Baseline:
    """A forecast of scaled histories.

    Attributes:
        mean: maps scaled histories `(windows, history, channels)` and the rows of a season of each `(windows,)` to
            forecasts `(windows, horizon, channels)`.
        shift: quantiles less mean, from the errors on validation windows `(horizon, channels, quantiles)`.
    """

    mean: Mean
    shift: Array

    def quantiles(self, mean: Array) -> Array:
        """Quantiles `(windows, horizon, channels, quantiles)` around a mean."""
        return np.sort(mean[..., None] + self.shift, axis=-1)


def fit_baselines(train: ForecastWindows, validation: ForecastWindows, levels: Sequence[float]) -> dict[str, Baseline]:
    """Last value, seasonal naive, drift, and ridge regression learned from training windows.

    The quantiles of all four are the empirical ones of their errors on validation windows, as the model's are moved to.

    Args:
        train: at most 10,000 of its windows, evenly spread, teach the regression.
        validation: at most 1,500 of its windows give the quantiles.
        levels: probabilities of the quantiles.
    """
    horizon = train.config.horizon_steps
    means: dict[str, Mean] = {"last value": lambda history, _: last_value(history, horizon)}
    if max(train.seasons) > 1:
        means["seasonal naive"] = lambda history, seasons: _seasonal(history, horizon, seasons)
    means["drift"] = lambda history, _: drift(history, horizon)
    taught = train.histories(stride=train.stride(MOST_TRAINING_WINDOWS))
    pairs = ((windows.history, windows.future) for windows in taught)
    linear = LinearForecast(train.history_steps, horizon).fit(pairs)
    means[LINEAR] = lambda history, _: linear.predict(history)
    held_out = list(validation.histories(stride=validation.stride(MOST_CALIBRATION_WINDOWS)))
    baselines = {}
    for name, mean in means.items():
        errors = np.concatenate([own.future - mean(own.history, own.season) for own in held_out])
        distance = np.broadcast_to(errors[..., None], (*errors.shape, len(levels)))
        baselines[name] = Baseline(mean, conformal_shift(distance, tuple(levels)))
    return baselines


def _seasonal(history: Array, horizon_steps: int, seasons: Array) -> Array:
    """Seasonal naive forecasts of windows whose series have seasons of different lengths."""
    forecast = np.empty((len(history), horizon_steps, history.shape[2]), history.dtype)
    for season in np.unique(seasons):
        rows = seasons == season
        forecast[rows] = seasonal_naive(history[rows], horizon_steps, int(season))
    return forecast
