"""Forecasts: of a series, of one of its steps, and of what follows a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from rnnapps.data.series.series import Series
from rnnapps.data.series.shown_times import shown_times, utc_text
from rnnapps.types import Array

__all__ = ["Forecast", "ForecastAfterRow", "ForecastStep"]


@dataclass(frozen=True)
class Forecast:
    """The forecast of one series, in original units.

    Attributes:
        series: up to its last measured row.
        times: UTC times of the horizon, datetime64[ns]; None when there is no time.
        mean: `(horizon, channels)`.
        quantiles: `(horizon, channels, quantiles)`.
        levels: probabilities of the quantiles.
    """

    series: Series
    times: Array | None
    mean: Array
    quantiles: Array
    levels: tuple[float, ...]

    def rows(self) -> list[ForecastStep]:
        """A row for each channel and step of the horizon."""
        times = None if self.times is None else shown_times(self.times, self.series.timezone)
        return [
            ForecastStep(
                series=self.series.name,
                channel=name,
                step=step + 1,
                time=None if times is None else times[step],
                mean=float(self.mean[step, channel]),
                quantiles=dict(zip(self.levels, self.quantiles[step, channel].tolist(), strict=True)),
            )
            for channel, name in enumerate(self.series.channels)
            for step in range(len(self.mean))
        ]


@dataclass(frozen=True)
class ForecastStep:
    """The forecast of one channel of a series at one step, in original units.

    Attributes:
        series: its name.
        channel: its name.
        step: number of rows behind the last measured one, from 1.
        time: of the row, in UTC without a zone, or with `data.timezone` where that is another; None when there is no
            time.
        mean: the expected value.
        quantiles: probability -> value that the row stays below with it.
    """

    series: str
    channel: str
    step: int
    time: pd.Timestamp | None
    mean: float
    quantiles: Mapping[float, float]

    def columns(self) -> dict[str, object]:
        """A row of a frame, with a column for each quantile: "0.1"..."""
        time = {} if self.time is None else {"time": self.time}
        quantiles = {str(level): value for level, value in self.quantiles.items()}
        place = {"series": self.series, "channel": self.channel, "step": self.step}
        return {**place, **time, "mean": self.mean, **quantiles}

    def printed(self) -> dict[str, object]:
        """A line of JSON."""
        time = {} if self.time is None else {"time": f"{utc_text(self.time)}Z"}
        place = {"series": self.series, "channel": self.channel, "step": self.step}
        return {**place, **time, "mean": self.mean, "quantiles": self.quantiles}


@dataclass(frozen=True)
class ForecastAfterRow:
    """What follows a row, in original units.

    Attributes:
        time: of the row, see `ForecastStep`.
        channels: names of the channels.
        levels: probabilities of the quantiles.
        mean: `(horizon, channels)`.
        quantiles: `(horizon, channels, quantiles)`.
        series: name of its series; empty where rows name none.
    """

    time: pd.Timestamp | None
    channels: tuple[str, ...]
    levels: tuple[float, ...]
    mean: Array
    quantiles: Array
    series: str = ""

    def printed(self) -> dict[str, object]:
        """A line of JSON: {"series", "time": ..., "forecast": {channel: {"mean": [...], "0.1": [...], ...}}}."""
        forecast = {
            name: {"mean": self.mean[:, channel]}
            | {str(level): self.quantiles[:, channel, number] for number, level in enumerate(self.levels)}
            for channel, name in enumerate(self.channels)
        }
        time = {} if self.time is None else {"time": f"{utc_text(self.time)}Z"}
        return {**({"series": self.series} if self.series else {}), **time, "forecast": forecast}
