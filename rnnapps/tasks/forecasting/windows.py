"""Windows of series as a forecaster sees them: for training, for scoring, and back in original units."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from rnnapps.data.series.series import SeriesPart
from rnnapps.data.series.windows import StoredSeries
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["ForecastWindows", "Scored", "inference"]

ROWS = 256  # values times channels of a scored batch stay small


@dataclass(frozen=True)
class Scored:
    """A batch of windows and their forecasts, all in original units.

    Attributes:
        history: `(windows, history, channels)`, NaN where missing.
        actual: `(windows, horizon, channels)`, NaN where missing.
        mean: the same.
        quantiles: `(windows, horizon, channels, quantiles)`.
        part: part of each window `(windows,)`.
        origin: row of the part's series at which each forecast begins `(windows,)`.
    """

    history: Array
    actual: Array
    mean: Array
    quantiles: Array
    part: Array
    origin: Array


class ForecastWindows:
    """The windows of one split.

    Args:
        parts: of the split.
        features: scales and levels.
        config: steps of history and horizon.
    """

    def __init__(self, parts: Sequence[SeriesPart], features: SeriesFeatures, config: ForecastModelConfig) -> None:
        self.features, self.config, self.history_steps = features, config, config.history_steps
        self.stored = StoredSeries(
            parts,
            history_steps=config.history_steps,
            horizon_steps=config.horizon_steps,
            minimum_history=config.needed_history,
        )
        self.seasons = np.array([features.season(part.series) for part in self.stored.parts])

    def training(self, *, batch_size: int, seed: int, start_step: int) -> tf.data.Dataset:
        """Endless batches {"inputs": the network's, "targets": as `example` makes them}."""
        raw = self.stored.batches(batch_size=batch_size, seed=seed, start_step=start_step)
        return raw.map(self.example, num_parallel_calls=1)

    def example(self, window: NamedTensors) -> dict[str, Tensor | dict[str, Tensor]]:
        """A batch as the network reads it, and its targets, scaled `(batch, horizon, channels)`, NaN if missing."""
        inputs = self.features.network_inputs(window, self.stored.parts, self.history_steps)
        if not self.config.series_units:
            inputs.pop("series")
        return {"inputs": inputs, "targets": self.features.scaler.apply(window["values"][:, self.history_steps :])}

    def stride(self, most: int) -> int:
        """The smallest stride that leaves at most `most` windows."""
        return -(-len(self.stored) // most)

    def scored(self, network: keras.Model, *, stride: int = 1) -> Iterator[Scored]:
        """Forecasts of the windows in order."""
        run, scaler = inference(network), self.features.scaler
        for window in self.stored.ordered(batch_size=ROWS, stride=stride):
            outputs = run(self.example(window)["inputs"])
            mean, values = scaler.invert_array(outputs["mean"].numpy()), window["values"].numpy()
            quantiles = scaler.invert_array(outputs["quantiles"].numpy().swapaxes(2, 3)).swapaxes(2, 3)
            yield Scored(
                history=values[:, : self.history_steps],
                actual=values[:, self.history_steps :],
                mean=mean,
                quantiles=quantiles,
                part=window["part"].numpy(),
                origin=window["origin"].numpy(),
            )

    def histories(self, *, stride: int = 1) -> Iterator[tuple[Array, Array, Array]]:
        """(history, future, rows of a season) of the windows in order, scaled, NaN where missing."""
        for window in self.stored.ordered(batch_size=4 * ROWS, stride=stride):
            scaled = self.features.scaler.apply_array(window["values"].numpy())
            yield scaled[:, : self.history_steps], scaled[:, self.history_steps :], self.seasons[window["part"].numpy()]


@functools.lru_cache(maxsize=2)
def inference(network: keras.Model) -> Callable[[NamedTensors], dict[str, Tensor]]:
    """The network as a compiled function of its inputs; its weights may change between calls."""
    run: Callable[[NamedTensors], dict[str, Tensor]] = tf.function(
        lambda inputs: network(inputs, training=False), autograph=False, reduce_retracing=True
    )
    return run
