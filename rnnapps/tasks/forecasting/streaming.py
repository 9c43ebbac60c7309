"""Forecasts while rows arrive: a row in, a forecast out."""

from __future__ import annotations

import csv
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnnapps.data.csv_file import read_number
from rnnapps.data.given import MEMORY
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.given_rows import given_chunks
from rnnapps.data.series.regular import is_next, next_times
from rnnapps.data.series.shown_times import shown_times
from rnnapps.data.series.table_roles import NO_TIME, TIME_NAMES
from rnnapps.data.series.timestamps import localise, parse_times, to_local
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.forecasting.forecast import ForecastAfterRow
from rnnapps.tasks.forecasting.forecaster import Forecaster
from rnnapps.tasks.forecasting.preprocessing import reading_config
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.types import Array, NamedTensors

__all__ = ["stream_forecasts"]

Row = tuple[Array, np.datetime64 | None]
"""Values float64 `(channels,)`, NaN where missing, and UTC time."""


def stream_forecasts(
    network: keras.Model, features: SeriesFeatures, source: str, *, given: object = None
) -> Iterator[ForecastAfterRow]:
    """Yields a forecast after each row that has enough rows before it.

    The forecast is that of `predict` on all rows so far. Rows must follow each other in the distance the model was
    trained on.

    Args:
        network: from `forecast_network`.
        features: scales and how tables are read.
        source: a CSV file, or `-` for standard input; a single series with a line of column names.
        given: rows from Python instead of those of the source, see `given_chunks`.

    Raises:
        ConfigError: no source is given, or the model needs what is known ahead, which a stream of past rows has not.
        DataError: a line is not what is expected.
    """
    if given is None and not source:
        raise ConfigError("stream needs --input (a CSV file, or - for standard input)")
    if features.known.channels or features.categories or features.static_size:
        raise ConfigError("this model reads covariates or static features, which a stream of rows lacks; use predict")
    forecaster = Forecaster(network, features)
    if given is not None:
        yield from _forecasts(forecaster, _given_rows(given, reading_config(features, MEMORY), features))
        return
    config = reading_config(features, source)
    if source == "-":
        yield from _forecasts(forecaster, _rows(sys.stdin, "standard input", config, features))
        return
    try:
        with open(Path(source), encoding="utf-8-sig", newline="") as file:
            yield from _forecasts(forecaster, _rows(file, source, config, features))
    except OSError as error:
        raise DataError(source, f"cannot be read: {error.strerror}", "check the path") from None
    except UnicodeDecodeError:
        raise DataError(source, "is not UTF-8 text", "convert it with iconv") from None


def _forecasts(forecaster: Forecaster, rows: Iterator[Row]) -> Iterator[ForecastAfterRow]:
    """What follows each row, once there are enough."""
    features = forecaster.features
    timezone = str(features.reading.get("timezone", "UTC"))
    advance = tf.function(functools.partial(_advance, forecaster), autograph=False)
    state: NamedTensors = forecaster.empty_state(1)
    for count, (values, time) in enumerate(rows, start=1):
        inputs = {"history": tf.constant(values[None, None]), "lengths": tf.constant([1])}
        seconds = 0 if time is None else int(time.astype("datetime64[s]").astype(np.int64))
        inputs["last_time"] = tf.constant([seconds], tf.int64)
        inputs["series"] = tf.constant([""])
        state, outputs = advance(state, inputs)
        if count < features.needed_history:
            continue
        yield ForecastAfterRow(
            time=None if time is None else shown_times(np.array([time]), timezone)[0],
            channels=features.scaler.channels,
            levels=forecaster.levels,
            mean=outputs["mean"].numpy()[0],
            quantiles=outputs["quantiles"].numpy()[0],
        )


def _advance(forecaster: Forecaster, state: NamedTensors, rows: NamedTensors) -> tuple[NamedTensors, NamedTensors]:
    """The state with the rows, and its forecast."""
    after = forecaster.advance(state, rows)
    return after, forecaster.forecast(after, rows)


def _given_rows(given: object, config: SeriesDataConfig, features: SeriesFeatures) -> Iterator[Row]:
    """The rows that Python users give."""
    time: np.datetime64 | None = None
    for table in given_chunks(given, config):
        clock, frequency = table.roles.time, features.frequency
        if features.calendar and not clock:
            raise DataError(MEMORY, f"{table.place(0)} has no time", "this model reads the calendar: give times")
        values = table.frame[list(features.scaler.channels)].to_numpy(np.float64)
        for row in range(len(values)):
            if clock and frequency is not None:
                cell, where = table.frame[clock].iloc[[row]], table.place(row)
                time = _next_time(cell, time, source=MEMORY, where=where, config=config, frequency=frequency)
            yield values[row], time


def _rows(lines: TextIO, name: str, config: SeriesDataConfig, features: SeriesFeatures) -> Iterator[Row]:
    """The rows of the lines behind the header."""
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
    if features.calendar and clock == NO_TIME:
        raise DataError(name, "line 1 has no column of times", "this model reads the calendar: add one called time")
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
            np.float64,
        )
        if clock != NO_TIME and features.frequency is not None:
            cell = pd.Series([cells[names.index(clock)].strip() or None], dtype=object, name=clock)
            time = _next_time(cell, time, source=name, where=where, config=config, frequency=features.frequency)
        yield values, time


def _number(cell: str, *, source: str, where: str, decimal: str) -> float:
    """A cell's number, NaN where it is empty; with either sign of decimals where none is set."""
    kinds = decimal or (",." if "," in cell else ".,")  # one comma alone marks decimals, as between semicolons
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
    if before is not None and expected is not None and not is_next(before, time, frequency, config.timezone):
        problem = f"{where}: {time} UTC follows {before} UTC, expected {expected[0]} UTC"
        raise DataError(source, problem, f"rows must be {frequency} apart; write missing ones empty")
    return time
