"""Numbers with their unit in the cell, tokens for what is missing, rows that are not there, and long numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.errors import ConfigError, DataError


def read(path: Path, text: str, **settings: Any) -> Series:
    path.write_text(text, encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(path), **settings))
    return series


@pytest.mark.parametrize(
    ("cells", "separator", "unit", "values"),
    [
        (("100 kW", "", "102.5 kW"), ",", "kW", [100, np.nan, 102.5]),
        (("1.234,5 kW", "2.234,5 kW", "3,5 kW"), ";", "kW", [1234.5, 2234.5, 3.5]),
        (("21.5°C", "-3°C", "n/a"), ",", "°C", [21.5, -3, np.nan]),
        (("45%", "46 %", "1e1%"), ",", "%", [45, 46, 10]),
        (("$3", "$ 4.5", "$6"), ",", "$", [3, 4.5, 6]),
        (("1 m3", "2 m3", "3m3"), ",", "m3", [1, 2, 3]),
    ],
)
def test_a_unit_in_every_cell_is_left_out_and_told(
    tmp_path: Path, cells: tuple[str, ...], separator: str, unit: str, values: list[float]
) -> None:
    rows = [f"2025-07-{day:02d}{separator}{cell}" for day, cell in enumerate(cells, start=1)]
    series = read(tmp_path / "x.csv", "\n".join([f"time{separator}load", *rows]))
    np.testing.assert_array_equal(series.values[:, 0], values)
    assert f"column 'load': {unit!r} is read as the unit of its numbers" in series.notes


def test_an_exponent_is_no_unit(tmp_path: Path) -> None:
    series = read(tmp_path / "x.csv", "step,v\n1,1e5\n2,2e5\n3,3.5E+5 \n", channels=("v",), time="none")
    np.testing.assert_array_equal(series.values[:, 0], [1e5, 2e5, 3.5e5])


@pytest.mark.parametrize("cells", [("1 kW", "2 MW", "3 kW"), ("one kW", "two kW", "3 kW"), ("1 am", "2 am", "3 am")])
def test_other_texts_are_no_numbers(tmp_path: Path, cells: tuple[str, ...]) -> None:
    rows = [f"2025-07-0{day},{cell}" for day, cell in enumerate(cells, start=1)]
    with pytest.raises(DataError, match="column 'load' holds text"):
        read(tmp_path / "x.csv", "\n".join(["time,load", *rows]))


def test_another_unit_far_below_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [f"{row},{row} kW" for row in range(600)]
    rows[555] = "555,0.555 MW"
    with pytest.raises(DataError, match=r"column 'load' holds text: line 557: '0\.555 MW'"):
        read(tmp_path / "x.csv", "\n".join(["step,load", *rows]), channels=("load",), time="none")


def test_american_dates_and_units_together(tmp_path: Path) -> None:
    """Hours from 3 July 2025; the first row alone may be 7 March too, and is asked for."""
    hours = [np.datetime64("2025-07-03T00", "h") + hour for hour in range(30)]
    rows = []
    for number, hour in enumerate(hours):
        day, clock = hour.astype("datetime64[D]").item(), int(str(hour)[11:13])
        rows.append(f"{day:%m/%d/%Y} {(clock + 11) % 12 + 1:02d}:00 {'AM' if clock < 12 else 'PM'},{100 + number} kW")
    series = read(tmp_path / "x.csv", "\n".join(["Date/Time,Load (kW)", *rows]))
    assert series.times is not None
    np.testing.assert_array_equal(series.times, np.array(hours, "datetime64[ns]"))
    np.testing.assert_array_equal(series.values[:, 0], 100.0 + np.arange(30))
    with pytest.raises(DataError, match=r"which both fit"):
        read(tmp_path / "x.csv", "\n".join(["Date/Time,Load (kW)", rows[0]]))


def test_tokens_of_spreadsheets_and_databases_are_missing(tmp_path: Path) -> None:
    tokens = ("#DIV/0!", "NaT", "-", "--", "<NA>", "n/a")
    rows = [f"2025-01-0{day},{cell}" for day, cell in enumerate(("1.5", *tokens), start=1)]
    series = read(tmp_path / "x.csv", "\n".join(["time,v", *rows]))
    assert np.isnan(series.values[1:, 0]).all() and series.values[0, 0] == 1.5


SPARSE = "date,sales\n2025-03-01,4\n2025-03-02,5\n2025-03-05,8\n2025-03-14,17\n2025-03-16,19\n2025-03-19,22\n"


@pytest.mark.parametrize("absent", ["missing", "zero"])
def test_days_without_a_row_are_missing_or_zero_as_asked(tmp_path: Path, absent: str) -> None:
    series = read(tmp_path / "x.csv", SPARSE, irregular="regularise", absent_rows=absent)
    assert str(series.frequency) == "1d" and len(series) == 19
    values, present = series.values[:, 0], [0, 1, 4, 13, 15, 18]
    np.testing.assert_array_equal(values[present], [4, 5, 8, 17, 19, 22])
    rest = np.delete(values, present)
    assert (rest == 0).all() if absent == "zero" else np.isnan(rest).all()
    assert ("values of rows that are not there are zero" in series.notes) == (absent == "zero")


def test_zeros_need_a_grid() -> None:
    with pytest.raises(ConfigError, match="absent_rows can only be zero where"):
        SeriesDataConfig(absent_rows="zero")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_eight_digit_meter_keeps_its_steps(tmp_path: Path, kind: str) -> None:
    """float32 holds no number between 123,456,784 and 123,456,792."""
    series = read(
        tmp_path / "x.csv", "step,kwh\n" + "".join(f"{n},{123456789.25 + 0.13 * n:.2f}\n" for n in range(200))
    )
    if kind == "parquet":
        import pandas as pd

        pd.DataFrame({"kwh": series.values[:, -1]}).to_parquet(tmp_path / "x.parquet")
        (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.parquet")))
    np.testing.assert_allclose(np.diff(series.values[:, -1]), 0.13, atol=1e-6)
