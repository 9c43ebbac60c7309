"""The forecast of a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnapps.data.series.series import Series
from rnnapps.types import Array

__all__ = ["Forecast"]


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

    def rows(self) -> list[dict[str, Any]]:
        """A dict for each channel and step of the horizon."""
        return [
            {
                "series": self.series.name,
                "channel": name,
                "step": step + 1,
                **({} if self.times is None else {"time": f"{np.datetime_as_string(self.times[step], unit='s')}Z"}),
                "mean": float(self.mean[step, channel]),
                "quantiles": dict(zip(map(str, self.levels), self.quantiles[step, channel].tolist(), strict=True)),
            }
            for channel, name in enumerate(self.series.channels)
            for step in range(len(self.mean))
        ]
