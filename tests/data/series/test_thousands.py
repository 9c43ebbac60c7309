"""Marks between thousands are read where they are sure, and told where they may be decimals."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rnnapps.data.number_cells import read_number
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError


def read(path: Path, cells: list[str], separator: str = ";", **settings: str) -> Series:
    quote = '"' if separator == "," else ""
    rows = "".join(f"2024-01-0{row + 1}{separator}{quote}{cell}{quote}\n" for row, cell in enumerate(cells))
    path.write_text(f"date{separator}v\n{rows}", encoding="utf-8")
    (series,) = read_series(SeriesDataConfig(source=str(path), **settings))  # type: ignore[arg-type]
    return series


@pytest.mark.parametrize(
    ("cells", "separator", "values"),
    [
        (["1.234,5", "2.235,5", "999,5", "1.000.000"], ";", [1234.5, 2235.5, 999.5, 1e6]),
        (["1,234.5", "2,235.5", "999.5", "1,000,000"], ";", [1234.5, 2235.5, 999.5, 1e6]),
        (["1,234.5", "2,235.5", "-999.5", "NA"], ",", [1234.5, 2235.5, -999.5, None]),
    ],
)
def test_thousands(tmp_path: Path, cells: list[str], separator: str, values: list[float | None]) -> None:
    series = read(tmp_path / "x.csv", cells, separator)
    assert [None if value != value else value for value in series.values[:, 0].tolist()] == values
    assert any("is read as the mark between thousands" in note for note in series.notes)


@pytest.mark.parametrize(("mark", "other"), [(".", ","), (",", ".")])
def test_what_may_be_thousands_is_told_and_read_as_the_note_says(tmp_path: Path, mark: str, other: str) -> None:
    cells = [f"1{mark}234", f"12{mark}500", "7"]
    series = read(tmp_path / "x.csv", cells)
    assert series.values[:, 0].tolist() == pytest.approx([1.234, 12.5, 7])
    (note,) = (note for note in series.notes if "marks thousands" in note)
    assert f"--data.decimal '{other}'" in note
    series = read(tmp_path / "x.csv", cells, decimal=other)
    assert series.values[:, 0].tolist() == [1234, 12500, 7]


@pytest.mark.parametrize("cells", [["0.123", "1.234"], ["1.2345", "1.234"], ["12", "13"], ["1,5", "2,250"]])
def test_decimals_that_are_sure_are_not_told(tmp_path: Path, cells: list[str]) -> None:
    assert not any("thousands" in note for note in read(tmp_path / "x.csv", cells).notes)


@pytest.mark.parametrize("cell", ["1.23,5", "12.34", "1234.567,5", "0.123", "1.234.5"])
def test_other_marks_beside_a_decimal_comma_are_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=r"line 4|line 2"):
        read(tmp_path / "x.csv", ["1,5", "2,5", cell], decimal=",")


@pytest.mark.parametrize("decimal", [".", ","])
def test_thousands_of_digits_before_something_else_are_no_number_at_once(decimal: str) -> None:
    began = time.process_time()
    assert read_number("9" * 100_000 + "-01", decimal) is None
    assert time.process_time() - began < 1  # split in every way there is, they took half a minute
