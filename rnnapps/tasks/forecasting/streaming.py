"""Forecasts while rows arrive: a line of CSV in, a line of JSON out."""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnnapps.data.csv_file import read_number
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.regular import next_times
from rnnapps.data.series.table_roles import NO_TIME, TIME_NAMES
from rnnapps.data.series.timestamps import localise, parse_times, to_local
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.forecasting.forecaster import Forecaster
from rnnapps.tasks.forecasting.preprocessing import reading_config
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.types import Array, NamedTensors

__all__ = ["stream_forecasts"]


def stream_forecasts(network: keras.Model, features: SeriesFeatures, source: str) -> Iterator[str]:
    """Yields a line of JSON after each row that has enough rows before it.

    A line is {"time": ..., "forecast": {channel: {"mean": [...], "0.1": [...], ...}}}.
    The forecast is that of `predict` on all rows so far. Rows must follow each other in the distance the model was
    trained on.

    Args:
        network: from `forecast_network`.
        features: scales and how tables are read.
        source: a CSV file, or `-` for standard input; a single series with a line of column names.

    Raises:
        ConfigError: no source is given, or the model needs what is known ahead, which a stream of past rows has not.
        DataError: a line is not what is expected.
    """
    if not source:
        raise ConfigError("stream needs --input (a CSV file, or - for standard input)")
    if features.known.channels or features.categories or features.static_size:
        raise ConfigError("this model reads covariates or static features, which a stream of rows lacks; use predict")
    config, forecaster = reading_config(features, source), Forecaster(network, features)
    if source == "-":
        yield from _forecasts(forecaster, sys.stdin, "standard input", config)
        return
    try:
        with open(Path(source), encoding="utf-8-sig", newline="") as file:
            yield from _forecasts(forecaster, file, source, config)
    except OSError as error:
        raise DataError(source, f"cannot be read: {error.strerror}", "check the path") from None
    except UnicodeDecodeError:
        raise DataError(source, "is not UTF-8 text", "convert it with iconv") from None


def _forecasts(forecaster: Forecaster, lines: TextIO, name: str, config: SeriesDataConfig) -> Iterator[str]:
    """A line of JSON for each row of `lines`, a file called `name`, once there are enough."""
    features = forecaster.features
    advance = tf.function(functools.partial(_advance, forecaster), autograph=False)
    state: NamedTensors = forecaster.empty_state(1)
    for count, (values, time) in enumerate(_rows(lines, name, config, features), start=1):
        rows = {"history": tf.constant(values[None, None]), "lengths": tf.constant([1])}
        seconds = 0 if time is None else int(time.astype("datetime64[s]").astype(np.int64))
        rows["last_time"] = tf.constant([seconds], tf.int64)
        rows["series"] = tf.constant([""])
        state, outputs = advance(state, rows)
        if count < features.needed_history:
            continue
        yield json.dumps(_described(forecaster, outputs, time)) + "\n"


def _advance(forecaster: Forecaster, state: NamedTensors, rows: NamedTensors) -> tuple[NamedTensors, NamedTensors]:
    """The state with the rows, and its forecast."""
    after = forecaster.advance(state, rows)
    return after, forecaster.forecast(after, rows)


def _described(forecaster: Forecaster, outputs: NamedTensors, time: np.datetime64 | None) -> dict[str, Any]:
    """A forecast as JSON can hold it."""
    mean, quantiles = outputs["mean"].numpy()[0], outputs["quantiles"].numpy()[0]
    forecast = {
        name: {"mean": mean[:, channel].tolist()}
        | {str(level): quantiles[:, channel, number].tolist() for number, level in enumerate(forecaster.levels)}
        for channel, name in enumerate(forecaster.features.scaler.channels)
    }
    stamp = {} if time is None else {"time": f"{np.datetime_as_string(time, unit='s')}Z"}
    return {**stamp, "forecast": forecast}


def _rows(
    lines: TextIO, name: str, config: SeriesDataConfig, features: SeriesFeatures
) -> Iterator[tuple[Array, np.datetime64 | None]]:
    """(values (channels,), UTC time) of each line behind the header."""
    header = lines.readline()
    if not header.strip():
        raise DataError(name, "is empty", "expected a line of column names and then rows")
    separator = config.separator if config.separator != "auto" else max(",;\t|", key=header.count)
    decimal = config.decimal if config.decimal != "auto" else ("." if separator == "," else "")
    names = [cell.strip() for cell in next(csv.reader([header], delimiter=separator))]
    missing = [channel for channel in features.scaler.channels if channel not in names]
    if missing:
        raise DataError(name, f"line 1 has no column {missing[0]!r}", f"it names {', '.join(names)}")
    places = [names.index(channel) for channel in features.scaler.channels]
    clock = config.time or next((column for column in names if column.lower() in TIME_NAMES), NO_TIME)
    if clock not in (*names, NO_TIME):
        raise DataError(name, f"line 1 has no column {clock!r}", f"it names {', '.join(names)}")
    time: np.datetime64 | None = None
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        cells, where = next(csv.reader([line], delimiter=separator)), f"line {number}"
        if len(cells) != len(names):
            problem = f"{where}: {len(cells)} columns, but the header names {len(names)}"
            raise DataError(name, problem, "correct the line")
        values = np.array(
            [
                _number(cells[column], source=name, where=f"{where}, column {names[column]!r}", decimal=decimal)
                for column in places
            ],
            np.float32,
        )
        if clock != NO_TIME and features.frequency is not None:
            cell = pd.Series([cells[names.index(clock)].strip() or None], dtype=object, name=clock)
            time = _next_time(cell, time, source=name, where=where, config=config, frequency=features.frequency)
        yield values, time


def _number(cell: str, *, source: str, where: str, decimal: str) -> float:
    """A cell's number, NaN where it is empty; with either sign of decimals where none is set."""
    kinds = decimal or ".,"
    number = next((value for kind in kinds for value in [read_number(cell, kind)] if value is not None), None)
    if number is None:
        raise DataError(source, f"{where}: {cell!r} is no number", "leave it empty if it is missing")
    return number


def _next_time(
    cell: pd.Series,
    before: np.datetime64 | None,
    *,
    source: str,
    where: str,
    config: SeriesDataConfig,
    frequency: Frequency,
) -> np.datetime64:
    """The UTC time of a row, which must follow the one before; of an hour that clocks show twice, the one that does."""
    parsed = parse_times(cell, config, source, lambda _: where)
    expected = None if before is None else next_times(before, 1, frequency, config.timezone)
    if expected is not None and parsed.tz is None and to_local(expected, config.timezone)[0] == parsed.to_numpy()[0]:
        return np.datetime64(expected[0])
    time = np.datetime64(localise(parsed, config.timezone, source, lambda _: where)[0])
    if expected is not None and time != expected[0]:
        problem = f"{where}: {time} UTC follows {before} UTC, expected {expected[0]} UTC"
        raise DataError(source, problem, f"rows must be {frequency} apart; write missing ones empty")
    return time
