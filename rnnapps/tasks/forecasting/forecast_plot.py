"""Forecasts over their history as fans of intervals, and what is left over in their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import FigureBase

from rnnapps.reports.plots.curves import Curve, draw_legend, plot_curves, style_axes
from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme
from rnnapps.types import Array

__all__ = ["plot_autocorrelation", "plot_errors_by_step", "plot_fan"]


def plot_fan(
    history: Array,
    mean: Array,
    quantiles: Array,
    levels: Sequence[float],
    *,
    actual: Array | None = None,
    title: str = "",
    y_label: str = "value",
) -> Plot:
    """The forecast of one channel, with a band between each pair of quantiles.

    Args:
        history: values before the forecast `(rows,)`, NaN where missing.
        mean: `(horizon,)`.
        quantiles: `(horizon, quantiles)`.
        levels: probabilities of the quantiles, rising.
        actual: what came `(horizon,)`, where it is known.
        title: title above the plot.
        y_label: name and unit of the values.
    """
    past, future = np.arange(-len(history) + 1, 1), np.arange(1, len(mean) + 1)
    pairs = list(range(len(levels) // 2))

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, "rows from the last measured one", y_label)
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        for pair in pairs:
            share = round(100 * (levels[-1 - pair] - levels[pair]))
            low, high = quantiles[:, pair], quantiles[:, -1 - pair]
            colour, opacity = theme.colours[0], 0.18 + 0.14 * pair
            axes.fill_between(future, low, high, color=colour, alpha=opacity, linewidth=0, label=f"{share} % interval")
        axes.plot(past, history, color=theme.text, linewidth=1.2, label="history")
        axes.plot(future, mean, color=theme.colours[0], linewidth=1.8, label="forecast")
        if actual is not None:
            axes.plot(future, actual, color=theme.colours[1], linewidth=1.5, linestyle=(0, (5, 2)), label="what came")
        draw_legend(figure, theme)

    shares = ", ".join(f"{round(100 * (levels[-1 - pair] - levels[pair]))} %" for pair in pairs) or "none"
    came = "" if actual is None else " The dashed line is what came."
    alt = f"{title}: {len(history)} rows of history and a forecast of {len(mean)} rows, from {_figure(mean[0])} to "
    return Plot(draw, alt=f"{alt}{_figure(mean[-1])}, with intervals of {shares}.{came}")


def plot_errors_by_step(errors: Mapping[str, Array]) -> Plot:
    """Mean squared error over the steps of the horizon.

    Args:
        errors: name of a forecast -> error of each step `(horizon,)`.
    """
    curves = [Curve(name, range(1, len(values) + 1), values.tolist()) for name, values in errors.items()]
    return plot_curves(
        curves,
        x_label="step of the horizon",
        y_label="mean squared error, scaled",
        title="Error by step of the horizon",
    )


def plot_autocorrelation(correlation: Array, count: int) -> Plot:
    """Autocorrelation of residuals over the lag, with the bounds that 95 % of uncorrelated residuals keep to.

    Args:
        correlation: of each lag from 1 on `(lags,)`.
        count: number of residuals.
    """
    bound = 1.96 / math.sqrt(max(count, 1))
    lags = range(1, len(correlation) + 1)
    curves = [
        Curve("residuals", lags, correlation.tolist()),
        Curve("95 % if uncorrelated", lags, [bound] * len(correlation)),
        Curve("", lags, [-bound] * len(correlation)),
    ]
    return plot_curves(curves, x_label="lag, rows", y_label="autocorrelation", title="What is left in the residuals")


def _figure(value: float) -> str:
    return f"{value:.4g}"
