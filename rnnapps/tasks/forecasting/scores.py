"""Scores of forecasts: errors of the mean, of quantiles and of intervals, summed over windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.metrics.parts import block_length, summed
from rnnapps.types import Array

__all__ = ["ForecastScores", "seasonal_scale"]


def seasonal_scale(values: Array, season_steps: int) -> Array:
    """Mean absolute error of the seasonal naive forecast within training rows, the unit of MASE.

    Source: Hyndman & Koehler 2006, "Another look at measures of forecast accuracy", section 3.

    Args:
        values: training rows `(rows, channels)`, NaN where missing.
        season_steps: rows of a season; where there are fewer rows, 1.

    Returns:
        float64 `(channels,)`; NaN where it cannot be computed or is zero, as for a constant.
    """
    steps = season_steps if len(values) > season_steps else 1
    errors = np.abs(values[steps:].astype(np.float64) - values[:-steps])
    present = np.isfinite(errors)
    counts = present.sum(axis=0)
    sums = np.where(present, errors, 0.0).sum(axis=0)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=sums > 0))


_SUMS = (
    *("count", "absolute", "squared", "absolute_scaled", "squared_scaled", "actual", "symmetric"),
    *("mase", "mase_count", "covered", "width"),
)


class ForecastScores:
    """Sums of errors by step of the horizon and channel.

    Only values that are present, and for which there is a forecast, are scored.

    Args:
        horizon_steps: steps of a forecast.
        quantiles: probabilities of the quantiles; the first and the last bound the interval.
        scale: what scaled errors of each part are measured in: the deviation of its series in training rows
            `(parts, channels)`.
        seasonal: `seasonal_scale` of each part `(parts, channels)`.
    """

    def __init__(self, horizon_steps: int, *, quantiles: Sequence[float], scale: Array, seasonal: Array) -> None:
        self.quantiles, self.scale, self.seasonal = np.asarray(quantiles), np.asarray(scale), seasonal
        shape = (horizon_steps, self.scale.shape[1])
        self.sums = {name: np.zeros(shape) for name in _SUMS}
        self.pinball = np.zeros((*shape, len(self.quantiles)))
        self.windows: list[tuple[Array, Array]] = []

    def add(self, actual: Array, mean: Array, quantiles: Array, part: Array) -> None:
        """Adds a batch.

        Args:
            actual: `(windows, horizon, channels)`, NaN where missing.
            mean: the same, NaN where there is no forecast.
            quantiles: `(windows, horizon, channels, quantiles)`.
            part: part of each window `(windows,)`.
        """
        scored = np.isfinite(actual) & np.isfinite(mean)
        actual, mean = (np.where(scored, table, 0.0).astype(np.float64) for table in (actual, mean))
        error, size = np.abs(actual - mean), np.abs(actual) + np.abs(mean)
        seasonal = np.broadcast_to(self.seasonal[part][:, None], error.shape)
        comparable = scored & np.isfinite(seasonal)
        scaled = error / self.scale[part][:, None]
        low, high = quantiles[..., 0], quantiles[..., -1]
        tables = {
            "count": scored,
            "absolute": error,
            "squared": error**2,
            "absolute_scaled": scaled,
            "squared_scaled": scaled**2,
            "actual": np.abs(actual),
            "symmetric": np.divide(2 * error, size, out=np.zeros_like(error), where=size > 0),
            "mase": np.divide(error, seasonal, out=np.zeros_like(error), where=comparable),
            "mase_count": comparable,
            "covered": scored & (actual >= low) & (actual <= high),
            "width": np.where(scored, high - low, 0.0),
        }
        for name, table in tables.items():
            self.sums[name] += table.sum(axis=0)
        each = np.stack([tables[name].sum(axis=(1, 2)) for name in ("squared_scaled", "count")], axis=1)
        self.windows.append((each, part))
        distance = np.where(scored[..., None], actual[..., None] - quantiles, 0.0)
        self.pinball += np.maximum(self.quantiles * distance, (self.quantiles - 1) * distance).sum(axis=0)

    def merged(self, other: ForecastScores) -> ForecastScores:
        """Scores over the values of both."""
        both = ForecastScores(
            len(self.pinball), quantiles=self.quantiles.tolist(), scale=self.scale, seasonal=self.seasonal
        )
        both.sums = {name: table + other.sums[name] for name, table in self.sums.items()}
        both.pinball = self.pinball + other.pinball
        both.windows = [*self.windows, *other.windows]
        return both

    def blocks(self) -> Array:
        """Squared scaled errors and their number, summed over blocks of neighbouring windows `(blocks, 2)`.

        A block lies within a part; it is as long as the root of the number of windows.
        """
        each, part = (np.concatenate(column) for column in zip(*self.windows, strict=True))
        starts = np.flatnonzero(np.diff(part, prepend=part[:1] - 1))
        within = np.arange(len(part)) - np.repeat(starts, np.diff([*starts, len(part)]))
        block = np.cumsum(within % block_length(len(part)) == 0) - 1
        return summed(each, block)

    @property
    def interval(self) -> float:
        """Probability the interval claims."""
        return float(self.quantiles[-1] - self.quantiles[0])

    @property
    def coverage(self) -> float:
        """Share of the values within the interval."""
        return _share(self.sums["covered"].sum(), self.sums["count"].sum())

    def metrics(self) -> dict[str, float]:
        """All scores; the lower, the better. Scaled errors weigh all series and channels alike."""
        sums, count = self.sums, self.sums["count"].sum()
        percent = round(100 * self.interval)
        scores = {
            "mse_scaled": _share(sums["squared_scaled"].sum(), count),
            "mae_scaled": _share(sums["absolute_scaled"].sum(), count),
            "mae": _share(sums["absolute"].sum(), count),
            "rmse": float(np.sqrt(_share(sums["squared"].sum(), count))),
            "mase": _share(sums["mase"].sum(), sums["mase_count"].sum()),
            "smape_percent": 100 * _share(sums["symmetric"].sum(), count),
            "weighted_quantile_loss": 2 * _share(self.pinball.mean(axis=2).sum(), sums["actual"].sum()),
        }
        if len(self.quantiles) > 1:
            scores[f"coverage_error_of_{percent}_percent"] = 100 * abs(self.coverage - self.interval)
        return scores

    def by_step(self) -> Array:
        """Mean squared error on scaled values of each step of the horizon `(horizon,)`."""
        squared, count = self.sums["squared_scaled"].sum(axis=1), self.sums["count"].sum(axis=1)
        return np.asarray(np.divide(squared, count, out=np.full(len(count), np.nan), where=count > 0))

    def by_channel(self) -> Array:
        """Mean squared error on scaled values of each channel `(channels,)`."""
        squared, count = self.sums["squared_scaled"].sum(axis=0), self.sums["count"].sum(axis=0)
        return np.asarray(np.divide(squared, count, out=np.full(len(count), np.nan), where=count > 0))


def _share(total: float, count: float) -> float:
    """Their ratio; NaN of nothing."""
    return float(total) / float(count) if count else float("nan")
