"""The forecaster's part of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from rnnapps.contract.sections import Gallery, Paragraph, Section, Table
from rnnapps.reports.plots import Plot
from rnnapps.tasks.forecasting.blend.fit import mixes, shares_of
from rnnapps.tasks.forecasting.evaluation import compare
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.forecast_plot import plot_autocorrelation, plot_errors_by_step, plot_fan
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import SeriesSplits
from rnnapps.tasks.forecasting.windows import ForecastWindows
from rnnapps.types import Array

__all__ = ["autocorrelation", "forecast_sections"]

CHARTS, LAGS, MOST_RESIDUALS, MOST_WINDOWS = 4, 48, 3000, 1500
_FAN_NOTE = "Windows of the validation rows, on which the intervals were calibrated too."
_RESIDUAL_NOTE = (
    "Residuals are the errors of the first step, window after window. Where their autocorrelation leaves the bounds, "
    "the rows before a forecast still hold something the model does not use."
)
_BLEND_NOTE = (
    "The mean of the model is the sum of these forecasts by their shares, which were chosen on validation windows; its "
    "intervals are the network's around that mean."
)
_ALONE_NOTE = "On the validation windows nothing was gained beside the network: its forecasts are those of the model."


def forecast_sections(
    config: ForecastModelConfig, network: keras.Model, features: SeriesFeatures, splits: SeriesSplits
) -> Sequence[Section]:
    """Forecasts over their history, errors by step beside the baselines, and autocorrelation of the residuals.

    All of it is of validation windows: the test split is for `evaluate` alone.
    """
    windows = ForecastWindows(splits.parts.validation, features, config)
    compared = compare(config, network, features, splits, split="validation", most_windows=MOST_WINDOWS)
    errors = {name: scores.by_step() for name, scores in compared.scores.items()}
    residuals = _residuals(network, windows)
    correlation = autocorrelation(residuals, min(LAGS, max(len(residuals) // 4, 1)))
    plots = (plot_errors_by_step(errors), plot_autocorrelation(correlation, len(residuals)))
    return (
        Section("Forecasts", [Paragraph(_FAN_NOTE), Gallery([plot.picture() for plot in _fans(network, windows)])]),
        Section("Errors", [Gallery([plot.picture() for plot in plots]), Paragraph(_RESIDUAL_NOTE)]),
        *([_blend_section(network)] if shares_of(network) else []),
    )


def _blend_section(network: keras.Model) -> Section:
    """What share each forecast has in those of the model."""
    if not mixes(network):
        return Section("Blend of network and linear forecasts", [Paragraph(_ALONE_NOTE)])
    rows = [
        (name, float(share.mean()), float(share[0]), float(share[len(share) // 2]), float(share[-1]))
        for name, share in shares_of(network).items()
    ]
    columns = ("Forecast", "mean share", "first step", "middle", "last step")
    return Section("Blend of network and linear forecasts", [Table(columns, rows), Paragraph(_BLEND_NOTE)])


def autocorrelation(residuals: Array, lags: int) -> Array:
    """Correlation of residuals with those `lag` rows before, for lags from 1 on, averaged over the channels.

    Args:
        residuals: `(rows, channels)`, NaN where missing.
        lags: number of lags.
    """
    centred = residuals - np.nanmean(residuals, axis=0) if len(residuals) else residuals
    variance = np.nansum(centred**2, axis=0)
    usable = variance > 0
    products = [np.nansum(centred[lag:] * centred[:-lag], axis=0) for lag in range(1, lags + 1)]
    shares = [product[usable] / variance[usable] for product in products]
    return np.array([share.mean() if len(share) else 0.0 for share in shares])


def _fans(network: keras.Model, windows: ForecastWindows) -> Iterator[Plot]:
    """Some windows spread over the split, a channel each."""
    stride = max(len(windows.stored) // CHARTS, 1)
    shown = 4 * windows.config.horizon_steps
    count = 0
    for batch in windows.scored(network, stride=stride):
        for row in range(len(batch.part)):
            series = windows.stored.parts[int(batch.part[row])].series
            channel = (len(series.channels) - 1 + count) % len(series.channels)
            when = "" if series.times is None else f", {np.datetime_as_string(series.times[batch.origin[row]], 'm')}"
            yield plot_fan(
                batch.history[row, -shown:, channel],
                batch.mean[row, :, channel],
                batch.quantiles[row, :, channel],
                windows.config.quantiles,
                actual=batch.actual[row, :, channel],
                title=f"{series.name}: {series.channels[channel]}{when}",
                y_label=series.channels[channel],
            )
            count += 1
            if count == CHARTS:
                return


def _residuals(network: keras.Model, windows: ForecastWindows) -> Array:
    """Errors of the first step, scaled `(windows, channels)`, of consecutive windows of the first part."""
    errors: list[Array] = []
    for batch in windows.scored(network):
        first = batch.part == 0
        errors.append((batch.actual - batch.mean)[first, 0] / windows.error_units[0])
        if not first.all() or sum(map(len, errors)) >= MOST_RESIDUALS:
            break
    return np.concatenate(errors)
