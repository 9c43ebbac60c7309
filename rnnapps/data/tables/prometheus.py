"""Answers of Prometheus to a range query: one series for each set of labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.data.number_cells import read_number
from rnnapps.data.tables.json_values import json_value
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, read_text
from rnnapps.data.tables.stacked import FileSeries, stacked, value_places
from rnnapps.errors import DataError

__all__ = ["PrometheusReader"]

ASK = "ask for a range: /api/v1/query_range with start, end and step"
LATEST = 9e9
"""Unix seconds within the years that nanoseconds hold."""


class PrometheusReader(TableReader):
    """The JSON of `query_range`; labels may be asked for as columns."""

    title = "an answer of Prometheus"

    def recognises(self, head: bytes) -> bool:
        """Whether it is JSON that names the type of a result."""
        return head.lstrip()[:1] == b"{" and b'"resultType"' in head[:1024]

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads an answer."""
        content = json_value(path, read_text(path))
        data = content.get("data", content)
        kind, results = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
        if kind != "matrix" or not isinstance(results, list):
            raise DataError(path, f"is an answer of the type {kind!r}, not of a range query", ASK)
        return stacked(path, [_read(path, number, one) for number, one in enumerate(results)], ["value"])


def _read(path: Path, number: int, result: Any) -> FileSeries:
    """The series of one result."""
    where = f"result {number + 1}"
    labels = result.get("metric") if isinstance(result, dict) else None
    pairs = result.get("values") if isinstance(result, dict) else None
    if not isinstance(labels, dict) or not isinstance(pairs, list):
        raise DataError(path, f"{where}: has no metric and values", ASK)
    numbers = np.array([_pair(path, f"{where}, value {row + 1}", pair) for row, pair in enumerate(pairs)], np.float64)
    numbers = numbers.reshape(-1, 2)
    times = np.round(numbers[:, 0] * 1000).astype(np.int64).astype("datetime64[ms]").astype("datetime64[ns]")
    facts = {str(name): str(value) for name, value in labels.items() if name not in ("value", "time", "series")}
    return FileSeries(_name(labels), numbers[:, 1:], times, value_places(where), facts)


def _name(labels: Mapping[str, Any]) -> str:
    """Labels as Prometheus shows them: `up{job="node"}`."""
    inner = ",".join(f"{name}={json.dumps(str(value))}" for name, value in labels.items() if name != "__name__")
    return str(labels.get("__name__", "")) + (f"{{{inner}}}" if inner else "") or "value"


def _pair(path: Path, where: str, pair: Any) -> tuple[float, float]:
    """A time in Unix seconds, and a value, which is written as a text."""
    if isinstance(pair, list) and len(pair) == 2:
        time, value = pair
        number = read_number(str(value), ".") if str(value) not in ("+Inf", "-Inf") else np.inf
        if isinstance(time, int | float) and abs(time) < LATEST and number is not None:
            return float(time), number
    raise DataError(path, f"{where}: {str(pair)[:60]} is no pair of a time and a number", ASK)
