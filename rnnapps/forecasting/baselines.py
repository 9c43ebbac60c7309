"""Naive forecasts with intervals of their own, to be scored on the same windows as a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnapps.forecasting.calibration import conformal_shift
from rnnapps.forecasting.windows import ForecastWindows
from rnnapps.metrics.naive_forecasts import LinearForecast, drift, last_value, seasonal_naive

__all__ = ["LINEAR", "Baseline", "fit_baselines"]

Array = np.ndarray[Any, Any]
LINEAR = "linear (ridge)"
MOST_TRAINING_WINDOWS = 10_000
MOST_CALIBRATION_WINDOWS = 1500


@dataclass(frozen=True)
class Baseline:
    """A forecast of scaled histories.

    Attributes:
        mean: maps scaled histories `(windows, history, channels)` to forecasts `(windows, horizon, channels)`.
        shift: quantiles less mean, from the errors on validation windows `(horizon, channels, quantiles)`.
    """

    mean: Callable[[Array], Array]
    shift: Array

    def quantiles(self, mean: Array) -> Array:
        """Quantiles `(windows, horizon, channels, quantiles)` around a mean."""
        return np.sort(mean[..., None] + self.shift, axis=-1)


def fit_baselines(
    train: ForecastWindows, validation: ForecastWindows, *, season_steps: int, levels: Sequence[float]
) -> dict[str, Baseline]:
    """Last value, seasonal naive, drift, and ridge regression learned from training windows.

    The quantiles of all four are the empirical ones of their errors on validation windows, as the model's are moved to.

    Args:
        train: at most 10,000 of its windows, evenly spread, teach the regression.
        validation: at most 1,500 of its windows give the quantiles.
        season_steps: rows of a season; 1 leaves the seasonal forecast out.
        levels: probabilities of the quantiles.
    """
    history_steps, horizon = train.history_steps, train.config.horizon_steps
    linear = LinearForecast(history_steps, horizon).fit(train.histories(stride=train.stride(MOST_TRAINING_WINDOWS)))
    means: dict[str, Callable[[Array], Array]] = {"last value": lambda history: last_value(history, horizon)}
    if season_steps > 1:
        means["seasonal naive"] = lambda history: seasonal_naive(history, horizon, season_steps)
    means |= {"drift": lambda history: drift(history, horizon), LINEAR: linear.predict}
    pairs = list(validation.histories(stride=validation.stride(MOST_CALIBRATION_WINDOWS)))
    found = {}
    for name, mean in means.items():
        errors = np.concatenate([future - mean(history) for history, future in pairs])
        distance = np.broadcast_to(errors[..., None], (*errors.shape, len(levels)))
        found[name] = Baseline(mean, conformal_shift(distance, tuple(levels)))
    return found
