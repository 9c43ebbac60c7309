"""Naive and linear forecasts as what they have in common: maps that are linear in a history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnapps.tasks.forecasting.naive_forecasts import LINEAR, LINEAR_BY_WINDOW
from rnnapps.types import Array

__all__ = ["PARTS", "LinearMap", "drift_map", "last_value_map", "seasonal_maps"]

PARTS = ("network", "last value", "seasonal naive", "seasonal mean", "drift", LINEAR, LINEAR_BY_WINDOW)
"""What a blend mixes, in the order of its shares."""


class LinearMap(NamedTuple):
    """A forecast last + kernel . (history - last) + bias * deviation, see `linear_forecast`.

    Attributes:
        kernel: float32 `(history, horizon)`.
        bias: float32 `(horizon,)`.
    """

    kernel: Array
    bias: Array


def last_value_map(history_steps: int, horizon_steps: int) -> LinearMap:
    """The last value, again and again."""
    return LinearMap(np.zeros((history_steps, horizon_steps), np.float32), np.zeros(horizon_steps, np.float32))


def drift_map(history_steps: int, horizon_steps: int) -> LinearMap:
    """The straight line through the first and the last value."""
    kernel, bias = last_value_map(history_steps, horizon_steps)
    kernel[0] = -np.arange(1, horizon_steps + 1) / (history_steps - 1)
    return LinearMap(kernel, bias)


def seasonal_maps(history_steps: int, horizon_steps: int, season_steps: int) -> tuple[LinearMap, LinearMap]:
    """The value one season ago, and the mean of all values at that place of a season; of none, the last value."""
    rows = np.arange(history_steps)[:, None] - history_steps
    same = (rows - np.arange(horizon_steps)[None]) % season_steps == 0
    latest, counts = same & (rows >= -season_steps), np.maximum(same.sum(axis=0), 1)
    bias = np.zeros(horizon_steps, np.float32)
    return LinearMap(latest.astype(np.float32), bias), LinearMap((same / counts).astype(np.float32), bias)
