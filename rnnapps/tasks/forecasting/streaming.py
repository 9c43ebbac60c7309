"""Forecasts while rows arrive: a row in, a forecast out."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.given import MEMORY
from rnnapps.data.series.recent import Recent
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_stream import RowStream, StreamRow
from rnnapps.data.series.shown_times import shown_times
from rnnapps.errors import ConfigError
from rnnapps.tasks.forecasting.forecast import ForecastAfterRow
from rnnapps.tasks.forecasting.forecaster import Forecaster
from rnnapps.tasks.forecasting.preprocessing import row_rules
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.types import Array, NamedTensors

__all__ = ["stream_forecasts"]


def stream_forecasts(
    network: keras.Model,
    features: SeriesFeatures,
    source: str,
    *,
    options: RowOptions,
    memory: StreamMemory,
    series: str = "",
    given: object = None,
) -> Iterator[ForecastAfterRow]:
    """Yields a forecast after each row that has enough rows before it.

    The forecast is that of `predict` on all rows of its series so far.

    Args:
        network: from `forecast_network`.
        features: scales and how tables are read.
        source: a CSV file, or `-` for standard input, with a line of column names.
        options: what to do with rows that are not as they should be.
        memory: what was known before.
        series: what the model calls the series of rows that name none.
        given: rows from Python instead of those of the source, see `given_chunks`.

    Raises:
        ConfigError: no source is given, or the model needs what is known ahead, which a stream of past rows has not.
        DataError: see `RowStream`.
    """
    if given is None and not source:
        raise ConfigError("stream needs --input (a CSV file, or - for standard input)")
    if features.known.channels or features.categories or features.static_size:
        raise ConfigError("this model reads covariates or static features, which a stream of rows lacks; use predict")
    forecaster = Forecaster(network, features)
    rules = row_rules(features, MEMORY if given is not None else source, longest_gap=forecaster.history_steps)
    rows = RowStream(rules, options, memory)
    states = _SeriesStates(forecaster, options.most_series, series, memory)
    for row in rows.lines(source) if given is None else rows.given(given):
        after = states.after(row)
        if states.dropped:
            rows.counts.note("forgotten", f"{states.dropped} is forgotten: it had no row longest")
        if after is not None:
            yield after


class _SeriesStates:
    """What the network reads of the last rows of each series, and how many rows there were."""

    def __init__(self, forecaster: Forecaster, most: int, unnamed: str, memory: StreamMemory) -> None:
        self.forecaster, self.unnamed, self.dropped = forecaster, unnamed, ""
        self.timezone = str(forecaster.features.reading.get("timezone", "UTC"))
        self._states: Recent[tuple[int, NamedTensors]] = Recent(most)
        self._advance = tf.function(forecaster.advance, autograph=False)
        self._forecast = tf.function(forecaster.forecast, autograph=False)
        before = memory.before("series")
        if before:
            for number, (name, count) in enumerate(before.facts["rows"]):
                state = {key: tf.constant(array[number : number + 1]) for key, array in before.arrays.items()}
                self._states.put(name, (count, state))
        memory.watch("series", self._now)

    def after(self, row: StreamRow) -> ForecastAfterRow | None:
        """The forecast behind a row; None where there are too few rows yet."""
        features = self.forecaster.features
        count, state = self._states.get(row.series) or (0, self.forecaster.empty_state(1))
        nothing = np.full(len(row.values), 0.0 if features.reading.get("absent_rows") == "zero" else np.nan)
        for time in row.missing:
            state = self._advance(state, self._inputs(nothing, time, row.series))
        inputs = self._inputs(row.values, row.time, row.series)
        state = self._advance(state, inputs)
        count += len(row.missing) + 1
        self.dropped = self._states.put(row.series, (count, state)) or ""
        if count < features.needed_history:
            return None
        outputs = self._forecast(state, inputs)
        return ForecastAfterRow(
            time=None if row.time is None else shown_times(np.array([row.time]), self.timezone)[0],
            channels=features.scaler.channels,
            levels=self.forecaster.levels,
            mean=outputs["mean"].numpy()[0],
            quantiles=outputs["quantiles"].numpy()[0],
            series=row.series,
        )

    def _inputs(self, values: Array, time: np.datetime64 | None, series: str) -> NamedTensors:
        """A row as `Forecaster` takes it."""
        dtype = self.forecaster.row_inputs()["history"].dtype
        seconds = 0 if time is None else int(time.astype("datetime64[s]").astype(np.int64))
        inputs = {"history": tf.constant(values[None, None].astype(dtype.as_numpy_dtype)), "lengths": tf.constant([1])}
        return {
            **inputs,
            "last_time": tf.constant([seconds], tf.int64),
            "series": tf.constant([series or self.unnamed]),
        }

    def _now(self) -> Remembered:
        """The states of all series, one behind another."""
        kept = list(self._states)
        keys = kept[0][1][1] if kept else {}
        arrays = {key: np.concatenate([state[key].numpy() for _, (_, state) in kept]) for key in keys}
        return Remembered({"rows": [[name, count] for name, (count, _) in kept]}, arrays)
