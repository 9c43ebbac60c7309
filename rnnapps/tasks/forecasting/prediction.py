"""Forecasts behind the last rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.bad_examples import GoodExamples, answered
from rnnapps.data.given import MEMORY
from rnnapps.data.series.regular import next_times
from rnnapps.data.series.series import Series, require_channels
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.forecasting.forecast import Forecast, ForecastStep
from rnnapps.tasks.forecasting.forecaster import Forecaster
from rnnapps.tasks.forecasting.pictures import write_fan_charts
from rnnapps.tasks.forecasting.preprocessing import known_rules, reading_config
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.splits import read_source
from rnnapps.types import Array, Tensor

__all__ = ["forecast_series", "predict_rows"]


def predict_rows(
    network: keras.Model,
    features: SeriesFeatures,
    source: str,
    *,
    given: object = None,
    series: str = "",
    picture: str = "",
) -> list[ForecastStep | BadExample]:
    """Reads a table and forecasts what follows it; what cannot be read or forecast comes last, unless it is alone.

    Args:
        network: from `forecast_network`.
        features: scales, levels and how tables are read.
        source: file, folder or built-in series.
        given: series from Python instead of those of the source, see `given_series`.
        series: name of the only series wanted; empty for all.
        picture: file for a picture, or empty.

    Raises:
        ConfigError: no source is given.
        DataError: the table cannot be read, lacks a channel, or is too short.
    """
    if given is None and not source:
        raise ConfigError("predict needs --input (a table of rows so far, or builtin); see predict --help")
    source = source if given is None else MEMORY
    good = GoodExamples.of_inputs(source, noun="tables")
    known = read_source(reading_config(features, source), given, known_rules(features), good=good)
    wanted = [part for part in known if series in ("", part.name)]
    if not wanted:
        names = ", ".join(repr(part.name) for part in known[:10])
        raise DataError(source, f"has no series {series!r}", f"there are {names}")
    forecaster = Forecaster(network, features)
    found = list(answered((partial(forecast_series, forecaster, part) for part in wanted), many=len(wanted) > 1))
    forecasts = [each for each in found if isinstance(each, Forecast)]
    if picture and forecasts:
        write_fan_charts(forecasts, picture)
    bad = (each for each in found if isinstance(each, BadExample))
    return [*(row for forecast in forecasts for row in forecast.rows()), *bad, *good.skipped()]


def forecast_series(forecaster: Forecaster, series: Series) -> Forecast:
    """Forecasts behind the last row that has a measured value; the rows behind it tell what is known ahead.

    Raises:
        DataError: the channels differ from the model's, no value is there at all, or too little is known ahead.
    """
    features, horizon = forecaster.features, forecaster.horizon_steps
    require_channels([series], features.scaler.channels)
    measured = np.flatnonzero(np.isfinite(series.values).any(axis=1))
    if not len(measured):
        raise DataError(series.source, f"series {series.name!r} holds no value", "give the rows so far")
    end = int(measured[-1]) + 1
    if end < features.needed_history:
        problem = f"series {series.name!r} has {end:,} rows up to its last measured one"
        raise DataError(series.source, problem, f"this model needs {features.needed_history:,} to go on from")
    _require_known(forecaster, series, end)
    if features.calendar and series.times is None:
        problem = f"series {series.name!r} has no times"
        raise DataError(series.source, problem, "this model reads the calendar: give a column or an index of times")
    history = series.slice(max(end - forecaster.history_steps, 0), end)
    rows = _inputs(forecaster, history, series.slice(end, end + horizon))
    state = forecaster.advance(forecaster.empty_state(1), rows)
    outputs = forecaster.forecast(state, rows)
    times = None
    if history.times is not None and series.frequency is not None:
        times = next_times(history.times[-1], horizon, series.frequency, series.timezone)
    mean, quantiles = (outputs[name].numpy()[0] for name in ("mean", "quantiles"))
    return Forecast(series.slice(0, end), times, mean, quantiles, forecaster.levels)


def _require_known(forecaster: Forecaster, series: Series, end: int) -> None:
    """Raises DataError, unless the rows of the horizon say what the model needs to know ahead."""
    features, horizon = forecaster.features, forecaster.horizon_steps
    if not (features.known.channels or features.categories) or len(series) >= end + horizon:
        return
    names = ", ".join((*features.known.channels, *features.categories))
    problem = f"series {series.name!r} has {len(series) - end} rows behind the last measured one"
    raise DataError(series.source, problem, f"add {horizon} rows with {names} and empty measured columns")


def _inputs(forecaster: Forecaster, history: Series, future: Series) -> dict[str, Tensor]:
    """One window as `Forecaster` takes it."""
    rows: dict[str, Any] = {"history": history.values, "lengths": np.array([len(history)], np.int32)[0]}
    if history.times is not None:
        rows["last_time"] = history.times[-1].astype("datetime64[s]").astype(np.int64)
    for name, part in (("history", history), ("future", future)):
        rows[f"known_{name}"] = part.known
        rows[f"categories_{name}"] = _texts(part)
    rows |= {"static": history.static, "static_texts": np.array(history.static_texts, object), "series": history.name}
    wanted = {**forecaster.row_inputs(), **forecaster.other_inputs()}
    return {name: tf.constant(rows[name], spec.dtype)[None] for name, spec in wanted.items()}


def _texts(series: Series) -> Array:
    """Levels as text `(rows, categorical)`, empty where missing."""
    columns: Sequence[Array] = [
        np.array([*levels, ""], object)[series.categories[:, column]]
        for column, levels in enumerate(series.category_levels)
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(series), 0), object)
