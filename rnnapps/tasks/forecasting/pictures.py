"""Pictures of forecasts as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnapps.atomic import write_atomically
from rnnapps.errors import ConfigError
from rnnapps.reports.plots import LIGHT, Plot, arrange
from rnnapps.tasks.forecasting.forecast import Forecast
from rnnapps.tasks.forecasting.forecast_plot import plot_fan
from rnnapps.types import Array

__all__ = ["fan_chart", "write_fan_charts"]

MOST_CHARTS = 24
HISTORIES = 4
"""How many horizons of history are shown, at least."""


def write_fan_charts(forecasts: Sequence[Forecast], path: str) -> None:
    """Writes a chart for each series and channel, at most 24, into one picture.

    Raises:
        ConfigError: the file cannot be written.
    """
    charts = [
        fan_chart(forecast, channel) for forecast in forecasts for channel in range(len(forecast.series.channels))
    ]
    picture = arrange(charts[:MOST_CHARTS], columns=min(2, len(charts)))
    target = Path(path)
    try:
        write_atomically(target, picture.svg(LIGHT) if target.suffix.lower() == ".svg" else picture.png())
    except OSError as error:
        raise ConfigError(f"{path}: cannot write the picture: {error.strerror or error}") from error


def fan_chart(forecast: Forecast, channel: int, *, actual: Array | None = None) -> Plot:
    """The chart of one channel of a forecast."""
    series = forecast.series
    shown = series.values[-HISTORIES * len(forecast.mean) :, channel]
    return plot_fan(
        shown,
        forecast.mean[:, channel],
        forecast.quantiles[:, channel],
        forecast.levels,
        actual=actual,
        title=f"{series.name}: {series.channels[channel]}",
        y_label=series.channels[channel],
    )
