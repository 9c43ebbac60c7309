"""Tables and rows read as the training data were: sensors are found by name."""

from __future__ import annotations

import dataclasses
from typing import Any

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.given import MEMORY
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.watched import read_tables, series_config
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows

__all__ = ["RULES", "read_like_training", "reading_config", "row_rules"]

RULES = "rules"
"""Beside the settings that tables are read with, what reading the training data showed, see `Series.rules`."""

CALENDAR = "the time is an input of this model: give a column or an index of times"


def read_like_training(
    rows: SensorRows, path: str, given: object = None, *, good: GoodExamples | None = None
) -> list[Series]:
    """Reads tables as the training data were read.

    Args:
        rows: what the detector knows of channels and tables.
        path: a table, or a folder of tables.
        given: series from Python instead, see `given_series`.
        good: counts the tables of a folder that cannot be read.

    Raises:
        DataError: a table cannot be read, or a sensor or its time is missing in it.
    """
    config = reading_config(rows, path if given is None else MEMORY)
    tables = read_tables(config, given, rows.reading.get(RULES), good=good)
    if not tables:
        raise DataError(path, "holds no rows", "give a table with rows")
    timeless = [series for series in tables if series.times is None]
    if rows.calendar and timeless:
        raise DataError(timeless[0].source, f"series {timeless[0].name!r} has no times", CALENDAR)
    return [dataclasses.replace(series, labels=None) for series in tables]


def row_rules(rows: SensorRows, source: str, *, longest_gap: int) -> RowRules:
    """How rows of a stream are written and follow each other.

    Args:
        rows: what the detector knows.
        source: what the rows come from.
        longest_gap: missing rows that are filled in.
    """
    config, known = series_config(reading_config(rows, source)), rows.reading.get(RULES, {})
    return RowRules(config, rows.channels, known, needs_time=rows.calendar, longest_gap=longest_gap)


def reading_config(rows: SensorRows, source: str) -> AnomalyDataConfig:
    """The configuration that reads another source as the training data was read."""
    reading: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in rows.reading.items()
        if name != RULES
    }
    plain: dict[str, Any] = {
        "labels": "",
        "label": "",
        "test": None,
        "skip_lines": (),
        "channels": rows.channels,
        "source": source,
    }
    dropped = {"validation_from": "", "test_from": "", "until": "", "validation_until": "", "label_delay_days": None}
    return AnomalyDataConfig(**{**reading, **plain, **dropped})
