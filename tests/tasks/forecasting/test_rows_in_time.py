"""Rows on calendars and with jitter: in streams, and in what a run keeps of its data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency, parse_frequency
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.errors import DataError
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.preprocessing import fit_features
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.tasks.forecasting.streaming import _next_time, _number


def following(before: str, cell: str, frequency: str) -> str:
    column = pd.Series([cell], dtype=object, name="time")
    last, config = np.datetime64(before, "ns"), SeriesDataConfig()
    step = parse_frequency(frequency)
    return str(_next_time(column, last, source="rows", where="line 2", config=config, frequency=step))[:19]


@pytest.mark.parametrize(
    ("before", "cell", "frequency"),
    [
        ("2024-01-31", "2024-02-29T00:00:00", "1me"),
        ("2024-03-31", "2024-06-30T00:00:00", "3me"),
        ("2024-01-05", "2024-01-08T00:00:00", "1b"),
        ("2024-01-05T10:00:00", "2024-01-05T10:00:11", "10s"),
    ],
)
def test_the_next_row_of_a_stream(before: str, cell: str, frequency: str) -> None:
    assert following(before, cell, frequency) == cell


@pytest.mark.parametrize(
    ("before", "cell", "frequency"),
    [("2024-01-31", "2024-03-31", "1me"), ("2024-01-05", "2024-01-09", "1b"), ("2024-01-05", "2024-01-05", "10s")],
)
def test_another_row_is_refused(before: str, cell: str, frequency: str) -> None:
    with pytest.raises(DataError, match=rf"rows must be {frequency} apart"):
        following(before, cell, frequency)


@pytest.mark.parametrize(
    ("cell", "expected"), [("1,234", 1.234), ("1,5", 1.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1.234", 1.234)]
)
def test_numbers_of_a_stream_with_either_decimal(cell: str, expected: float) -> None:
    assert _number(cell, source="rows", where="line 2", decimal="") == expected


@pytest.mark.parametrize("frequency", [Frequency(1, "month_end"), Frequency(1, "business_day"), Frequency(7, "day")])
def test_a_run_keeps_the_calendar(tmp_path: Path, frequency: Frequency) -> None:
    times = frequency.times(np.arange(40), np.datetime64("2024-01-31", "ns"))
    series = Series("x", times, np.arange(40, dtype=np.float32)[:, None], ("v",), frequency=frequency)
    features = fit_features(SeriesDataConfig(), ForecastModelConfig(), [SeriesPart(series, 0, 40)])
    features.save(tmp_path)
    assert SeriesFeatures.load(tmp_path).frequency == frequency
    assert features.calendar is not None and "year" in features.calendar.features


def test_a_plain_step_is_kept_as_before(tmp_path: Path) -> None:
    frequency = Frequency(3600 * 10**9, "nanosecond")
    times = frequency.times(np.arange(40), np.datetime64("2024-01-31", "ns"))
    series = Series("x", times, np.arange(40, dtype=np.float32)[:, None], ("v",), frequency=frequency)
    features = fit_features(SeriesDataConfig(), ForecastModelConfig(), [SeriesPart(series, 0, 40)])
    features.save(tmp_path)
    content = json.loads((tmp_path / "series.json").read_text(encoding="utf-8"))
    assert content["frequency"] == [3600 * 10**9, "nanosecond"]
