"""Times that are not ISO 8601: read where one format makes sense of them, else asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError


def read(path: Path, times: list[str], name: str = "Date/Time", **settings: str) -> Series:
    rows = "".join(f"{time};{row}\n" for row, time in enumerate(times))
    path.write_text(f"{name};load\n{rows}", encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(path), **settings))  # type: ignore[arg-type]
    return series


@pytest.mark.parametrize(
    "form", ["%m/%d/%Y %I:%M %p", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M"]
)
@pytest.mark.parametrize("first", ["2025-07-03", "2025-12-01", "2025-06-28"])
def test_hours_are_read_in_the_only_format_without_gaps(tmp_path: Path, form: str, first: str) -> None:
    hours = pd.date_range(first, periods=72, freq="h")
    series = read(tmp_path / "x.csv", [time.strftime(form) for time in hours])
    assert series.times is not None
    assert (str(series.times[0])[:10], str(series.frequency), series.channels) == (first, "1h", ("load",))
    assert any(f"read as {form} " in note for note in series.notes)


def test_an_ambiguous_row_alone_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"give --data\.time_format, one of '%d/%m/%Y %I:%M %p', '%m/%d/%Y %I:%M %p'"):
        read(tmp_path / "x.csv", ["07/03/2025 12:00 AM"])


def test_an_autumn_hour_that_is_there_once_is_read_as_the_message_says(tmp_path: Path) -> None:
    times = [f"2024-10-27 0{hour}:00" for hour in range(5)]
    with pytest.raises(DataError, match=r"line 4: .*comes twice in Europe/Berlin.* or give --data\.timezone UTC"):
        read(tmp_path / "x.csv", times, name="time", timezone="Europe/Berlin")
    series = read(tmp_path / "x.csv", times, name="time", timezone="UTC")
    assert (len(series), str(series.frequency)) == (5, "1h")
