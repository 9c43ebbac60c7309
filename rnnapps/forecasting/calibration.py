"""Calibration of forecast quantiles on held-out windows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from rnnapps.forecasting.network import CALIBRATION

__all__ = ["calibrate", "conformal_shift"]

Array = np.ndarray[Any, Any]
ENOUGH_WINDOWS = 200
"""With fewer windows, all steps of the horizon share one shift for each channel."""


def calibrate(network: keras.Model, targets: Array, quantiles: Array, spread: Array, levels: tuple[float, ...]) -> None:
    """Sets the network's shift so that each quantile holds on the given windows.

    Args:
        network: from `forecast_network`.
        targets: scaled `(windows, horizon, channels)`, NaN where missing.
        quantiles: the network's, with a shift of zero `(windows, horizon, channels, quantiles)`.
        spread: `(windows, 1, channels)`.
        levels: probabilities of the quantiles.
    """
    distance = (targets[..., None] - quantiles) / spread[..., None]
    network.get_layer(CALIBRATION).shift.assign(conformal_shift(distance, levels))


def conformal_shift(distance: Array, levels: tuple[float, ...]) -> Array:
    """By how much each quantile must move so that its share of the distances lies below it.

    The share is level x (windows + 1) / windows, at most 1, which keeps the promise for a new exchangeable window.

    Args:
        distance: actual value less quantile `(windows, horizon, channels, quantiles)`, NaN where missing.
        levels: probabilities of the quantiles.

    Returns:
        float32 `(horizon, channels, quantiles)`; 0 where a channel was never present.
    """
    windows, horizon, channels, _ = distance.shape
    pooled = windows < ENOUGH_WINDOWS
    if pooled:
        distance = distance.reshape(windows * horizon, 1, channels, -1)
    shift = np.zeros((distance.shape[1], channels, len(levels)))
    for place, level in enumerate(levels):
        share = _finite_share(level, windows)
        for channel in range(channels):
            for step in range(distance.shape[1]):
                column = distance[:, step, channel, place]
                column = column[np.isfinite(column)]
                shift[step, channel, place] = np.quantile(column, share) if len(column) else 0.0
    return np.broadcast_to(shift, (horizon, channels, len(levels))).astype(np.float32)


def _finite_share(level: float, windows: int) -> float:
    """The level, moved outwards for a finite sample."""
    outwards = abs(level - 0.5) * (windows + 1) / max(windows, 1)
    return float(np.clip(0.5 + np.sign(level - 0.5) * outwards, 0.0, 1.0))
