"""Windows of series as a forecaster sees them: for training, for scoring, and back in original units."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rnnapps.data.series.series import SeriesPart
from rnnapps.data.series.windows import StoredSeries
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.window_units import WindowUnits
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["ForecastWindows", "Histories", "Scored", "inference"]

ROWS = 256  # values times channels of a scored batch stay small


class Histories(NamedTuple):
    """A batch of windows as baselines see them, each in units of its own.

    Attributes:
        history: float32 `(windows, history, channels)`, NaN where missing.
        future: float32 `(windows, horizon, channels)`, NaN where missing, and where nothing ever varied.
        centre: see `WindowUnits` `(windows, 1, channels)`.
        unit: the same.
        ratio: what the unit of a window is in units of its series `(windows, 1, channels)`.
        season: rows of a season of each `(windows,)`.
    """

    history: Array
    future: Array
    centre: Array
    unit: Array
    ratio: Array
    season: Array


@dataclass(frozen=True)
class Scored:
    """A batch of windows and their forecasts, all in original units.

    Attributes:
        history: `(windows, history, channels)`, NaN where missing.
        actual: `(windows, horizon, channels)`, NaN where missing.
        mean: the same.
        quantiles: `(windows, horizon, channels, quantiles)`.
        own: the same windows, as baselines see them.
        part: part of each window `(windows,)`.
        origin: row of the part's series at which each forecast begins `(windows,)`.
    """

    history: Array
    actual: Array
    mean: Array
    quantiles: Array
    own: Histories
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
        self.error_units = np.stack([features.error_unit(part.series) for part in self.stored.parts])
        self.seasons = np.array([features.season(part.series) for part in self.stored.parts])

    def training(self, *, batch_size: int, seed: int, start_step: int) -> tf.data.Dataset:
        """Endless batches {"inputs": the network's, "targets": as `example` makes them}."""
        raw = self.stored.batches(batch_size=batch_size, seed=seed, start_step=start_step)
        return raw.map(self.example, num_parallel_calls=1)

    def example(self, window: NamedTensors) -> dict[str, dict[str, Tensor]]:
        """A batch as the network reads it, and what `forecast_loss` compares it with.

        Returns:
            {"inputs": the network's, "targets": {"values": `(batch, horizon, channels)` in the network's units, NaN if
            missing, "ratio": what its unit is in units of the series, `(batch, 1, channels)`}}, float32.
        """
        return self._example(window)[0]

    def _example(self, window: NamedTensors) -> tuple[dict[str, dict[str, Tensor]], WindowUnits]:
        """`example`, and the units of the windows."""
        inputs, units = self.features.network_inputs(
            window, self.stored.parts, self.history_steps, own_units=self.config.own_units
        )
        if not self.config.series_units:
            inputs.pop("series")
        targets = units.apply(window["values"][:, self.history_steps :])
        # Nothing can be said in units of something that never varied.
        targets = tf.where(units.unit > 0, targets, tf.constant(np.nan, tf.float32))
        ratio = units.unit / tf.gather(tf.constant(self.error_units), window["part"])[:, None]
        return {"inputs": inputs, "targets": {"values": targets, "ratio": tf.cast(ratio, tf.float32)}}, units

    def stride(self, most: int) -> int:
        """The smallest stride that leaves at most `most` windows."""
        return -(-len(self.stored) // most)

    def scored(self, network: keras.Model, *, stride: int = 1) -> Iterator[Scored]:
        """Forecasts of the windows in order."""
        run = inference(network)
        for window in self.stored.ordered(batch_size=ROWS, stride=stride):
            example, units = self._example(window)
            outputs, values = run(example["inputs"]), window["values"].numpy()
            forecasts = self.features.in_data_units(outputs, units)
            yield Scored(
                history=values[:, : self.history_steps],
                actual=values[:, self.history_steps :],
                mean=forecasts["mean"].numpy(),
                quantiles=forecasts["quantiles"].numpy(),
                own=self._as_histories(window),
                part=window["part"].numpy(),
                origin=window["origin"].numpy(),
            )

    def histories(self, *, stride: int = 1) -> Iterator[Histories]:
        """The windows in order, as baselines see them."""
        for window in self.stored.ordered(batch_size=4 * ROWS, stride=stride):
            yield self._as_histories(window)

    def _as_histories(self, window: NamedTensors) -> Histories:
        """A batch of windows, each in units of its own, whatever the network reads."""
        part = window["part"].numpy()
        ids = self.features.series_ids(tf.constant([part.series.name for part in self.stored.parts]))
        raw = window["values"]
        _, units = self.features.read(raw[:, : self.history_steps], tf.gather(ids, window["part"]), own_units=True)
        values = tf.where(units.unit > 0, units.apply(raw), tf.constant(np.nan, tf.float32)).numpy()
        return Histories(
            history=units.apply(raw[:, : self.history_steps]).numpy(),
            future=values[:, self.history_steps :],
            centre=units.centre.numpy(),
            unit=units.unit.numpy(),
            ratio=units.unit.numpy() / self.error_units[part][:, None],
            season=self.seasons[part],
        )


@functools.lru_cache(maxsize=2)
def inference(network: keras.Model) -> Callable[[NamedTensors], dict[str, Tensor]]:
    """The network as a compiled function of its inputs; its weights may change between calls."""
    run: Callable[[NamedTensors], dict[str, Tensor]] = tf.function(
        lambda inputs: network(inputs, training=False), autograph=False, reduce_retracing=True
    )
    return run
