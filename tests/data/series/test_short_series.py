"""A short series beside long ones changes nothing for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SeriesPart, split_in_time
from rnnapps.data.series.split_notes import split_notes

DAY = Frequency(1, "day")


def daily(name: str, first: str, rows: int, frequency: Frequency | None = DAY) -> Series:
    times = pd.date_range(first, periods=rows, freq=f"{frequency.count if frequency else 1}D").as_unit("ns").to_numpy()
    return Series(name, times, np.arange(rows, dtype=np.float32)[:, None], ("v",), frequency=frequency)


def first_time(part: SeriesPart) -> np.datetime64:
    times = part.rows().times
    assert times is not None
    return np.datetime64(times[0])


def test_one_row_does_not_change_the_split_of_others(tmp_path: Path) -> None:
    days = pd.date_range("2025-01-01", periods=90)
    late = days + pd.Timedelta(days=40)
    rows = [f"a,{day:%Y-%m-%d},{row}" for row, day in enumerate(days)]
    rows += [f"b,{day:%Y-%m-%d},{row}" for row, day in enumerate(late)] + ["c,2025-01-01,0"]
    (tmp_path / "x.csv").write_text("series_id,time,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    series = read_series(SeriesDataConfig(source=str(tmp_path / "x.csv")))
    assert [each.frequency for each in series] == [DAY, DAY, DAY]
    split = split_in_time(series, SeriesDataConfig())
    ends = [first_time(part) + np.timedelta64(len(part) - 1, "D") for part in split.train]
    validation, test = (min(map(first_time, parts)) for parts in split[1:])
    assert max(ends) < validation < test
    assert {part.series.name for part in split.train} == {"a", "b", "c"}
    assert split_notes(series, SeriesDataConfig()) == ["1 of 3 series have a single row ('c')"]


@pytest.mark.parametrize("frequency", [None, Frequency(2, "day"), Frequency(5, "day")])
@pytest.mark.parametrize("rows", [1, 2, 9])
def test_a_few_rows_of_another_frequency(frequency: Frequency | None, rows: int) -> None:
    long = [daily("a", "2025-01-01", 90), daily("b", "2025-02-01", 60)]
    alone = split_in_time(long, SeriesDataConfig())
    beside = split_in_time([*long, daily("c", "2025-01-05", rows, frequency)], SeriesDataConfig())
    moments = [[min(map(first_time, parts)) for parts in split[1:]] for split in (alone, beside)]
    for one, other in zip(*moments, strict=True):
        assert abs((one - other) / np.timedelta64(1, "D")) <= rows


def test_different_frequencies_are_told() -> None:
    mixed = [daily("a", "2025-01-01", 90), daily("b", "2025-01-01", 20, Frequency(7, "day"))]
    (note,) = split_notes(mixed, SeriesDataConfig())
    assert note.startswith("series are 1d, 1w apart, so each is split at shares of its own rows")
    assert not split_notes(mixed, SeriesDataConfig(validation_from="2025-02-01", test_from="2025-03-01"))
    assert not split_notes(mixed[:1], SeriesDataConfig())
