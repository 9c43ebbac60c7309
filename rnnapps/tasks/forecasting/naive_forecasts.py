"""Forecasts that any model must beat: the last value, the last season, the drift, and a linear model.

All take histories `(windows, steps, channels)` with NaN where a value is missing, oldest first, and return forecasts
`(windows, horizon_steps, channels)`; NaN only where a channel's history holds no value at all.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnnapps.types import Array

__all__ = [
    "LINEAR",
    "LINEAR_BY_WINDOW",
    "LinearForecast",
    "best_season",
    "drift",
    "filled_forward",
    "last_value",
    "seasonal_mean",
    "seasonal_naive",
    "two_seasons_mean",
    "two_seasons_naive",
]

LINEAR, LINEAR_BY_WINDOW = "linear (ridge)", "linear (ridge, window units)"


def last_value(history: Array, horizon_steps: int) -> Array:
    """The last present value, again and again."""
    last: Array = filled_forward(history)[:, -1:, :]
    return np.repeat(last, horizon_steps, axis=1)


def seasonal_naive(history: Array, horizon_steps: int, season_steps: int) -> Array:
    """The value one season ago, or the nearest earlier season's; the last value where none is present.

    Args:
        history: as above.
        horizon_steps: steps to forecast.
        season_steps: steps of a season; 1 gives the last value.
    """
    steps = history.shape[1]
    seasons = -(-steps // season_steps)
    padded = np.full((history.shape[0], seasons * season_steps, history.shape[2]), np.nan, history.dtype)
    padded[:, padded.shape[1] - steps :] = history
    folded = padded.reshape(len(history), seasons, -1)  # a season's steps and channels become columns
    season = filled_forward(folded)[:, -1].reshape(len(history), season_steps, history.shape[2])
    forecast = season[:, np.arange(horizon_steps) % season_steps]
    return np.where(np.isnan(forecast), last_value(history, horizon_steps), forecast)


def seasonal_mean(history: Array, horizon_steps: int, season_steps: int) -> Array:
    """The mean of each place of the season over all seasons of the history; of all values where none is present."""
    places = (np.arange(history.shape[1]) - history.shape[1]) % season_steps
    present = ~np.isnan(history)
    members = (places[:, None] == np.arange(season_steps)).astype(np.float64)  # (steps, season)
    filled = np.where(present, history, 0.0)
    sums, counts = (np.einsum("wsc,sp->wpc", table, members) for table in (filled, present.astype(np.float64)))
    level = np.divide(sums.sum(1), counts.sum(1), out=np.full(sums[:, 0].shape, np.nan), where=counts.sum(1) > 0)
    season = np.where(counts > 0, sums / np.maximum(counts, 1.0), level[:, None])
    return np.asarray(season[:, np.arange(horizon_steps) % season_steps])


def two_seasons_naive(history: Array, horizon_steps: int, seasons: tuple[int, int]) -> Array:
    """The value one long season ago, and by how much the last short season was more than it was a long season before.

    Where the value of a long season ago is one of the last short season, it is taken as it is: it holds that already.

    Args:
        history: as above, with the rows of both seasons at least.
        horizon_steps: steps to forecast.
        seasons: rows of the short season and of the long one, such as those of a day and of a week.
    """
    short, long = seasons
    then = seasonal_naive(history, horizon_steps, long)
    now, before = (seasonal_naive(past, horizon_steps, short) for past in (history, history[:, :-long]))
    held = np.arange(horizon_steps)[:, None] % long >= long - short
    return np.where(held | np.isnan(now - before), then, then + now - before)


def two_seasons_mean(history: Array, horizon_steps: int, seasons: tuple[int, int]) -> Array:
    """The mean of each place of the long season, and by how much the last short season was more than that on average.

    Args:
        history: as above, with the rows of the long season at least.
        horizon_steps: steps to forecast.
        seasons: rows of the short season and of the long one.
    """
    short, long = seasons
    usual = seasonal_mean(history, long, long)
    more = history[:, -short:] - usual[:, np.arange(-short, 0) % long]
    known = np.isfinite(more)
    total = np.where(known, more, 0.0).sum(axis=1, keepdims=True)
    raised: Array = usual[:, np.arange(horizon_steps) % long] + total / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return raised


def best_season(history: Array, future: Array, weight: Array, first: int) -> int:
    """The length of season whose naive forecast is nearest to what followed, in the mean of weighed squares.

    Args:
        history: `(windows, steps, channels)`, NaN where missing.
        future: `(windows, horizon_steps, channels)`, the same.
        weight: `(windows, 1, channels)`, of errors.
        first: the length that a better one must beat.

    Returns:
        From 1 to the steps of the history, or `first`.
    """
    filled, ahead = filled_forward(history), np.arange(future.shape[1])
    steps = history.shape[1]

    def error(season: int) -> float:
        if season > steps:
            return float("inf")
        errors = (future - filled[:, steps - season + ahead % season]) * weight
        return float(np.mean(np.square(errors[np.isfinite(errors)]))) if np.isfinite(errors).any() else float("inf")

    lengths: tuple[int, ...] = (first, *range(1, steps + 1))
    return min(lengths, key=error)


def drift(history: Array, horizon_steps: int) -> Array:
    """The straight line through the first and the last present value (Hyndman & Athanasopoulos, section 5.2)."""
    present = ~np.isnan(history)
    steps = history.shape[1]
    first = np.argmax(present, axis=1)
    last = steps - 1 - np.argmax(present[:, ::-1], axis=1)
    ends = [np.take_along_axis(history, step[:, None], axis=1)[:, 0] for step in (first, last)]
    slope = np.divide(ends[1] - ends[0], last - first, out=np.zeros_like(ends[0]), where=last > first)
    ahead = np.arange(1, horizon_steps + 1)[:, None] + (steps - 1 - last)[:, None]
    return np.asarray(ends[1][:, None] + slope[:, None] * ahead)


def filled_forward(history: Array) -> Array:
    """Missing values replaced by the present one before them; NaN where there is none."""
    steps = np.arange(history.shape[1])[None, :, None]
    places = np.maximum.accumulate(np.where(np.isnan(history), 0, steps), axis=1)
    return np.take_along_axis(history, places, axis=1)


class LinearForecast:
    """Ridge regression from the history of a channel to its horizon, one for all channels.

    The history, less its last value, is mapped to the horizon, less the same (NLinear, Zeng et al. 2023,
    arXiv:2205.13504, section 4), with the squared weights penalised. Missing values of a history are filled forward;
    windows with a missing value to predict, or none to predict from, are not learned from.

    Args:
        history_steps: steps of a history.
        horizon_steps: steps to forecast.
        penalty: share of the mean square of the inputs that is added to the diagonal.
    """

    def __init__(self, history_steps: int, horizon_steps: int, *, penalty: float = 1e-3) -> None:
        self.history_steps, self.horizon_steps, self.penalty = history_steps, horizon_steps, penalty
        size = history_steps + 1
        self.inner, self.outer = np.zeros((size, size)), np.zeros((size, horizon_steps))
        self.weights = np.zeros((size, horizon_steps))

    def fit(self, windows: Iterable[tuple[Array, Array]]) -> LinearForecast:
        """Learns from batches of (history `(windows, steps, channels)`, future `(windows, steps, channels)`)."""
        for history, future in windows:
            self.add(history, future)
        return self.penalised(self.penalty)

    def add(self, history: Array, future: Array, weight: Array | None = None) -> None:
        """Takes a batch into account, for `penalised`; errors weigh `weight` `(windows, 1, channels)`, or all alike."""
        inputs, last = self._inputs(history)
        targets = _rows(future) - last
        usable = np.isfinite(inputs).all(axis=1) & np.isfinite(targets).all(axis=1)
        weighed = inputs[usable] if weight is None else inputs[usable] * np.square(_rows(weight)[usable])
        self.inner += weighed.T @ inputs[usable]
        self.outer += weighed.T @ targets[usable]

    def penalised(self, penalty: float) -> LinearForecast:
        """What the windows so far teach with a penalty."""
        other = LinearForecast(self.history_steps, self.horizon_steps, penalty=penalty)
        other.inner, other.outer = self.inner, self.outer
        ridge = penalty * np.trace(self.inner) / len(self.inner) + 1e-12
        other.weights = np.linalg.solve(self.inner + ridge * np.eye(len(self.inner)), self.outer)
        return other

    def predict(self, history: Array) -> Array:
        """Forecasts `(windows, horizon_steps, channels)`."""
        inputs, last = self._inputs(history)
        forecast = inputs @ self.weights + last
        return forecast.reshape(len(history), history.shape[2], -1).transpose(0, 2, 1)

    def _inputs(self, history: Array) -> tuple[Array, Array]:
        """(Inputs `(windows x channels, steps + 1)`, last values `(windows x channels, 1)`)."""
        filled = _rows(filled_forward(history)).astype(np.float64)
        last = filled[:, -1:]
        centred = np.where(np.isnan(filled) & ~np.isnan(last), 0.0, filled - last)  # before the first present value
        return np.concatenate([centred, np.ones_like(last)], axis=1), last


def _rows(windows: Array) -> Array:
    """`(windows, steps, channels)` -> `(windows x channels, steps)`."""
    return windows.transpose(0, 2, 1).reshape(-1, windows.shape[1])
