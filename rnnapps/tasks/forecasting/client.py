"""A client of served forecasters, with a method for what they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rnnapps.client import Client
from rnnapps.types import ArrayLike, Arrays

__all__ = ["ForecastClient"]


class ForecastClient(Client):
    """Asks a model that forecasts; see `Client`."""

    def forecast(
        self,
        history: ArrayLike,
        *,
        last_time: datetime | int | None = None,
        series: str | None = None,
        known_history: ArrayLike | None = None,
        known_future: ArrayLike | None = None,
    ) -> Arrays:
        """What follows a history, in its units.

        Args:
            history: `(time, channels)`, or `(time,)` of one channel; NaN or None where a value is missing.
            last_time: of its last row, for models that look at the calendar: a datetime (UTC where it says no zone),
                or Unix seconds.
            series: name of the series, for models of several.
            known_history: `(time, columns)` of what is known ahead.
            known_future: the same of the horizon.

        Returns:
            `mean` `(horizon, channels)` and `quantiles` `(horizon, channels, quantiles)`.

        Raises:
            ServingError: the server cannot be reached, or refuses the history.
        """
        import numpy as np

        rows = np.asarray(history, np.float64)
        inputs: dict[str, Any] = {"history": rows[:, None] if rows.ndim == 1 else rows, "series": series}
        inputs |= {"known_history": known_history, "known_future": known_future}
        inputs["last_time"] = _seconds(last_time) if isinstance(last_time, datetime) else last_time
        answer = self.predict({name: [value] for name, value in inputs.items() if value is not None})
        return {name: array[0] for name, array in answer.items() if name != "problem"}


def _seconds(moment: datetime) -> int:
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
