"""Whatever a table holds, the answer is its rows as they stand there, or one clear line."""

from __future__ import annotations

import csv
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError
from tests.data.series.bad_tables import tables


def check(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(text.encode())
        for irregular in ("refuse", "regularise"):
            try:
                found = read_series(SeriesDataConfig(source=str(path), irregular=irregular))  # type: ignore[arg-type]
            except DataError as error:
                assert str(error).startswith(f"{path}: ")
                assert "\n" not in str(error)
                assert len(str(error)) < 600
            else:
                _check_series(found, text, kept=irregular == "refuse")


def _check_series(found: list[Series], text: str, *, kept: bool) -> None:
    (series,) = found
    assert len(series) and series.values.dtype == np.float64
    assert not np.isinf(series.values).any()
    if series.times is not None:
        assert (np.diff(series.times).astype(np.int64) > 0).all()
    if kept:
        np.testing.assert_allclose(np.sort(series.values[:, 0]), np.sort(_first_numbers(text, series)), rtol=1e-15)


def _first_numbers(text: str, series: Series) -> list[float]:
    """The first channel's cells, read by hand; the separator is the one that gives the series's columns."""
    for separator in ",;\t|":
        rows = [row for row in csv.reader(text.splitlines(), delimiter=separator) if row]
        names = [name.strip() for name in rows[0]]
        if set(series.channels) <= set(names) and len(names) > len(series.channels) - (series.times is None):
            place = names.index(series.channels[0])
            return [_number(row[place]) for row in rows[1:]]
    raise AssertionError("no separator gives these columns")


def _number(cell: str) -> float:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return math.nan


@given(tables())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bad_tables(text: str) -> None:
    check(text)


@pytest.mark.slow
@given(tables())
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_bad_tables(text: str) -> None:
    check(text)
