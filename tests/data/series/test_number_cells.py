"""Numbers as accounts, spreadsheets and offices of statistics write them; names of columns in two rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.number_cells import read_number, without_unit
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError


def read(path: Path, rows: list[str], header: str = "time;v", **settings: Any) -> Series:
    text = "".join(f"2025-01-{row + 1:02d};{cells}\n" for row, cells in enumerate(rows))
    path.write_text(f"{header}\n{text}", encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(path), **settings))
    return series


@pytest.mark.parametrize(
    "cells",
    [
        ["1'234.5", "-2'345.25", "345"],
        ["1\u2019234.5", "-2\u2019345.25", "345"],
        ["1\u00a0234,5", "\u22122\u00a0345,25", "345"],
        ["1\u202f234,5", "-2\u202f345,25", "345"],
        ["1 234,5", "-2 345,25", "345"],
        ["1,234.50", "(2,345.25)", "345"],
        ["1234.5 kWh", "-2345.25 kWh", "345 kWh"],
        ["1 234,5 kWh", "-2 345,25 kWh", "345 kWh"],
        ["$1,234.50", "-$2,345.25", "$345"],
        ["$1,234.50", "($2,345.25)", "$345"],
        ["US$1,234.50", "-US$2,345.25", "US$345"],
        ["EUR 1.234,50", "EUR -2.345,25", "EUR 345"],
        ["1.234,50 \u20ac", "-2.345,25 \u20ac", "345 \u20ac"],
    ],
)
def test_numbers_of_many_countries(tmp_path: Path, cells: list[str]) -> None:
    series = read(tmp_path / "x.csv", cells)
    np.testing.assert_array_equal(series.values[:, 0], [1234.5, -2345.25, 345])


def test_a_mark_far_below_is_read_too(tmp_path: Path) -> None:
    """Behind the first rows, which decide what a column is."""
    rows = [f"{row},5" for row in range(600)]
    rows[580] = "1 234,5"
    text = "".join(f"{row};{cell}\n" for row, cell in enumerate(rows))
    (tmp_path / "x.csv").write_text(f"step;v\n{text}", encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(tmp_path / "x.csv"), channels=("v",), time="none"))
    assert series.values[580, 0] == 1234.5 and series.values[599, 0] == 599.5
    assert any("'1 234,5' is read as 1234.5" in note for note in series.notes)


@pytest.mark.parametrize(
    "cell", ["12 34", "1 2345", "(x)", "((5))", "(-5)", "1'23", "\u2212\u22125", "5-", "1 234 5", "<5", "5*"]
)
def test_other_texts_are_no_numbers(cell: str) -> None:
    assert read_number(cell, ".") is None and read_number(cell, ",") is None


@given(st.integers(-(10**12), 10**12), st.sampled_from([" ", "\u00a0", "\u202f", "'", "\u2019"]), st.integers(0, 99))
def test_marks_between_thousands_change_no_number(whole: int, mark: str, cents: int) -> None:
    text = f"{whole:,}".replace(",", mark)
    assert read_number(f"{text}.{cents:02d}", ".") == float(f"{whole}.{cents:02d}")
    assert read_number(f"{text},{cents:02d}", ",") == float(f"{whole}.{cents:02d}")
    assert read_number(without_unit(f"{text} kW", "kW"), ".") == whole


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("time;A;A;B;B\n;load;temp;load;temp", ("A load", "A temp", "B load", "B temp")),
        ("time;A;;B;\n;load;temp;load;temp", ("A load", "A temp", "B load", "B temp")),
        (";A;A;B;B\ntime;load;temp;load;temp", ("A load", "A temp", "B load", "B temp")),
        ("time;load;temp;wind;sun\n;kW;degC;m/s;", ("load kW", "temp degC", "wind m/s", "sun")),
    ],
)
def test_names_in_two_rows(tmp_path: Path, header: str, names: tuple[str, ...]) -> None:
    rows = [f"{row};{row + 1};{row + 2};{row + 3}" for row in range(5)]
    series = read(tmp_path / "x.csv", rows, header, header_lines=2)
    assert series.channels == names and len(series) == 5
    np.testing.assert_array_equal(series.values[2], [2, 3, 4, 5])


def test_a_second_row_of_names_is_told_with_both_ways_to_read_it(tmp_path: Path) -> None:
    rows = [f"{row};{row + 1}" for row in range(5)]
    with pytest.raises(
        DataError, match=r"line 2: no row of the table; .*--data\.skip_lines '\[2\]'.*--data\.header_lines 2"
    ):
        read(tmp_path / "x.csv", rows, "time;A;B\n;load;temp")
    with pytest.raises(DataError, match=r"line 1: the name 'A' occurs twice; .*--data\.header_lines 2"):
        read(tmp_path / "x.csv", rows, "time;A;A\n;load;temp", skip_lines=(9,))
    titles = "Plant 7\n\ntime;A;A\n;load;temp"
    series = read(tmp_path / "x.csv", rows, titles, header_lines=2, skip_lines=(1,))
    assert series.channels == ("A load", "A temp")
