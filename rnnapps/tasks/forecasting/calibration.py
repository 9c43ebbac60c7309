"""Calibration of forecast quantiles on held-out windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from rnnapps.tasks.forecasting.network import CALIBRATION
from rnnapps.tasks.forecasting.windows import ROWS, ForecastWindows, inference
from rnnapps.types import Array

__all__ = ["MOST_WINDOWS", "CalibrationErrors", "conformal_shift", "recalibrated"]

MOST_WINDOWS = 1500
ENOUGH_WINDOWS = 200
"""With fewer windows, all steps of the horizon share one shift for each channel."""


@dataclass(frozen=True)
class CalibrationErrors:
    """What held-out windows show of a network, before any calibration; all in its units.

    Attributes:
        targets: `(windows, horizon, channels)`, NaN where missing.
        ratio: what the network's unit is in units of the series `(windows, 1, channels)`.
        outputs: the network's outputs by name, with the windows first.
    """

    targets: Array
    ratio: Array
    outputs: dict[str, Array]

    @classmethod
    def measure(cls, network: keras.Model, windows: ForecastWindows, *, stride: int = 0) -> CalibrationErrors:
        """Runs windows with a shift of zero; the network's shift is kept.

        Args:
            network: from `forecast_network`.
            windows: held-out windows.
            stride: every how many-th of them; by default as many as leave at most 1,500, evenly spread.
        """
        run = inference(network)
        with _shifted(network, np.zeros(network.get_layer(CALIBRATION).shift.shape, np.float32)):
            batches = windows.stored.ordered(batch_size=ROWS, stride=stride or windows.stride(MOST_WINDOWS))
            examples = [windows.example(window) for window in batches]
            answers = [run(example["inputs"]) for example in examples]
        outputs = {name: np.concatenate([np.asarray(batch[name]) for batch in answers]) for name in answers[0]}
        targets, ratio = (
            np.concatenate([np.asarray(example["targets"][name]) for example in examples])
            for name in ("values", "ratio")
        )
        return cls(targets, ratio, outputs)

    def squared_error(self) -> float:
        """Mean squared error of the mean, in units of the series."""
        return float(np.nanmean(np.square((self.targets - self.outputs["mean"]) * self.ratio)))

    def shift(self, levels: Sequence[float]) -> Array:
        """The shift of `ConformalShift` with which each quantile holds on these windows."""
        distance = (self.targets[..., None] - self.outputs["quantiles"]) / self.outputs["spread"][..., None]
        return conformal_shift(distance, levels)


@contextmanager
def recalibrated(network: keras.Model, errors: CalibrationErrors, levels: Sequence[float]) -> Iterator[None]:
    """Lets the network have the calibration that some windows ask for, for a while."""
    with _shifted(network, errors.shift(levels)):
        yield


def conformal_shift(distance: Array, levels: Sequence[float]) -> Array:
    """By how much each quantile must move so that its share of the distances lies below it.

    The share is moved outwards by (windows + 1) / windows, which keeps the promise for a new exchangeable window.

    Args:
        distance: actual value less quantile `(windows, horizon, channels, quantiles)`, NaN where missing.
        levels: probabilities of the quantiles.

    Returns:
        float32 `(horizon, channels, quantiles)`; 0 where a channel was never present.
    """
    windows, horizon, channels, _ = distance.shape
    if windows < ENOUGH_WINDOWS:
        distance = distance.reshape(windows * horizon, 1, channels, -1)
    shift = np.zeros((distance.shape[1], channels, len(levels)))
    for number, level in enumerate(levels):
        share = _outwards(level, windows)
        for channel in range(channels):
            for step in range(distance.shape[1]):
                column = distance[:, step, channel, number]
                column = column[np.isfinite(column)]
                shift[step, channel, number] = np.quantile(column, share) if len(column) else 0.0
    return np.broadcast_to(shift, (horizon, channels, len(levels))).astype(np.float32)


def _outwards(level: float, windows: int) -> float:
    """A level moved away from the median by (n + 1) / n: of n + 1 exchangeable errors the new one is any."""
    distance = abs(level - 0.5) * (windows + 1) / max(windows, 1)
    return float(np.clip(0.5 + np.sign(level - 0.5) * distance, 0.0, 1.0))


@contextmanager
def _shifted(network: keras.Model, shift: Array) -> Iterator[None]:
    """Lets the network have another shift, and gives it back its own."""
    variable = network.get_layer(CALIBRATION).shift
    before = np.asarray(variable)
    variable.assign(shift)
    try:
        yield
    finally:
        variable.assign(before)
