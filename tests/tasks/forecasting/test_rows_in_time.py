"""Rows on calendars and with jitter: in streams, and in what a run keeps of its data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency, parse_frequency
from rnnapps.data.series.row_columns import RowColumns
from rnnapps.data.series.row_counts import RowCounts
from rnnapps.data.series.row_options import RowOptions
from rnnapps.data.series.row_rules import RowRules
from rnnapps.data.series.row_schedule import RowSchedule
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig
from rnnapps.tasks.forecasting.preprocessing import fit_features
from rnnapps.tasks.forecasting.series_features import SeriesFeatures


def missing_between(before: str, time: str, frequency: str) -> list[str] | None:
    """The days of the rows missing between two; None where the second is no later row."""
    rules = RowRules(SeriesDataConfig(), ("v",), longest_gap=10, step=parse_frequency(frequency))
    schedule = RowSchedule(rules, RowOptions(), RowCounts("rows"), {"": int(np.datetime64(before, "ns").astype(int))})
    missing = schedule.place("", np.datetime64(time, "ns"), "line 2")
    return None if missing is None else [str(each)[:10] for each in missing]


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
    assert missing_between(before, cell, frequency) == []


@pytest.mark.parametrize(
    ("before", "cell", "frequency", "missing"),
    [
        ("2024-01-31", "2024-03-31", "1me", ["2024-02-29"]),
        ("2024-01-05", "2024-01-09", "1b", ["2024-01-08"]),
        ("2024-01-05", "2024-01-05", "10s", None),
        ("2024-01-05", "2024-01-01", "1b", None),
    ],
)
def test_another_row_of_a_stream(before: str, cell: str, frequency: str, missing: list[str] | None) -> None:
    assert missing_between(before, cell, frequency) == missing


@pytest.mark.parametrize(
    ("cell", "expected"), [("1,234", 1.234), ("1,5", 1.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1.234", 1.234)]
)
def test_numbers_of_a_stream_with_either_decimal(cell: str, expected: float) -> None:
    columns = RowColumns(RowRules(SeriesDataConfig(), ("v",)), "rows", ["v"], separator=";", where="line 1")
    assert columns.values([cell], "line 2").tolist() == [expected]


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
