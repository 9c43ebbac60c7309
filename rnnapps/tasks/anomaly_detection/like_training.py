"""Tables, and rows from Python, read as the training data were: sensors are found by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from rnnapps.data.given import MEMORY
from rnnapps.data.series.given_rows import given_chunks
from rnnapps.data.series.series import Series
from rnnapps.data.series.shown_times import shown_times
from rnnapps.data.series.table_frame import Table
from rnnapps.data.series.timestamps import localise, parse_times
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.watched import read_tables, series_config
from rnnapps.tasks.anomaly_detection.findings import ScoredRow
from rnnapps.tasks.anomaly_detection.over_parts import seconds_of
from rnnapps.tasks.anomaly_detection.row_judge import RowJudge
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream
from rnnapps.types import Array

__all__ = ["judge_given_rows", "read_like_training"]

CALENDAR = "the time is an input of this model: give a column or an index of times"


def read_like_training(rows: SensorRows, path: str, given: object = None) -> list[Series]:
    """Reads tables as the training data were read.

    Args:
        rows: what the detector knows of channels and tables.
        path: a table, or a folder of tables.
        given: series from Python instead, see `given_series`.

    Raises:
        DataError: a table cannot be read, or a sensor or its time is missing in it.
    """
    tables = read_tables(_reading(rows, path if given is None else MEMORY), given)
    if not tables:
        raise DataError(path, "holds no rows", "give a table with rows")
    timeless = [series for series in tables if series.times is None]
    if rows.calendar and timeless:
        raise DataError(timeless[0].source, f"series {timeless[0].name!r} has no times", CALENDAR)
    return [dataclasses.replace(series, labels=None) for series in tables]


def judge_given_rows(
    stream: DetectorStream, given: object, *, series: str = "", only_flags: bool = False
) -> Iterator[ScoredRow]:
    """Judges rows from Python, each at once.

    Args:
        stream: the detector.
        given: see `given_chunks`; a column that names the series or entity of a row keeps their states apart.
        series: name of the series, where no column says it.
        only_flags: yield flagged rows alone, and those where sensors fall silent or come back.

    Raises:
        DataError: a row is not what is expected, with its number and column.
    """
    judge, number = RowJudge(stream, series), 0
    config = series_config(_reading(stream.rows, MEMORY))
    for table in given_chunks(given, config):
        times = _times(table, config)
        if stream.rows.calendar and times is None:
            raise DataError(MEMORY, f"{table.place(0)} has no time", CALENDAR)
        values = table.frame[list(stream.rows.channels)].to_numpy(np.float64)
        names = table.frame[table.roles.series].fillna("").to_list() if table.roles.series else [""] * len(values)
        seconds = seconds_of(times, len(values))
        shown = None if times is None else shown_times(times, config.timezone)
        for row, name in enumerate(names):
            judged = judge.row(values[row], name, int(seconds[row]))
            if judge.notable or not only_flags:
                yield ScoredRow(judged.series, number + row, None if shown is None else shown[row], *judged[1:])
        number += len(values)


def _reading(rows: SensorRows, source: str) -> AnomalyDataConfig:
    """The configuration that reads another source as the training data was read."""
    reading: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in rows.reading.items()
    }
    plain: dict[str, Any] = {"labels": "", "label": "", "test": None, "channels": rows.channels, "source": source}
    dropped = {"validation_from": "", "test_from": "", "until": "", "validation_until": ""}
    return AnomalyDataConfig(**{**reading, **plain, **dropped})


def _times(table: Table, config: AnomalyDataConfig) -> Array | None:
    """UTC times of the rows of a table, datetime64[ns] `(rows,)`; None where it has none."""
    if not table.roles.time:
        return None
    parsed = parse_times(table.frame[table.roles.time], config, table.path, table.place)
    return localise(parsed, config.timezone, table.path, table.place)
