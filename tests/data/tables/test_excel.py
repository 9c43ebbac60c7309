"""Workbooks are read as CSV files are, within limits that hold before anything is decoded."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError

pytest.importorskip("python_calamine")
xlsxwriter = pytest.importorskip("xlsxwriter")

FIRST = datetime.datetime(2024, 3, 1)


def write(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        shown = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, datetime.datetime):
                        sheet.write_datetime(number, column, cell, shown)
                    else:
                        sheet.write(number, column, cell)
    return path


def read(path: Path, **settings: Any) -> list[Series]:
    return read_series(SeriesDataConfig(source=str(path), **settings))


ROWS = [["time", "load", "price"]]
ROWS += [[FIRST + datetime.timedelta(hours=row), row / 4, f"{row} €"] for row in range(20)]  # type: ignore[list-item]


def test_a_sheet_with_units_and_times(tmp_path: Path) -> None:
    (series,) = read(write(tmp_path / "x.xlsx", {"Data": ROWS, "Empty": []}))
    assert (series.name, series.channels, str(series.frequency)) == ("x", ("load", "price"), "1h")
    np.testing.assert_array_equal(series.values, [[row / 4, row] for row in range(20)])
    assert series.times is not None and str(series.times[1]) == "2024-03-01T01:00:00.000000000"
    assert series.rules["format"] == "an Excel workbook"


def test_titles_and_sums_are_told_with_the_rows_of_the_sheet(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlsx", {"Data": [["Plant 7"], [], *ROWS, ["Total", 47.5]]})
    with pytest.raises(DataError, match=r"x\.xlsx: lines 1, 2 and 24: no row of the table; .* --data\.skip_lines"):
        read(path)
    (series,) = read(path, skip_lines=(1, 2, 24))
    np.testing.assert_array_equal(series.values[:, 0], np.arange(20) / 4)


def test_one_of_several_sheets_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlsx", {"Data": ROWS, "More": ROWS[:11]})
    with pytest.raises(DataError, match=r"holds 2 sheets with rows; choose one with --data\.table: Data, More"):
        read(path)
    assert len(read(path, table="More")[0]) == 10
    with pytest.raises(DataError, match=r"has no 'Moore' among its sheets; there are Data, More"):
        read(path, table="Moore")


def test_a_wrong_cell_is_told_with_its_row(tmp_path: Path) -> None:
    rows = [*ROWS[:5], [FIRST + datetime.timedelta(hours=4), "broken", "4 €"], *ROWS[6:]]
    with pytest.raises(DataError, match=r"x\.xlsx: column 'load' holds text: line 6: 'broken'"):
        read(write(tmp_path / "x.xlsx", {"Data": rows}))


def changed(path: Path, name: str, old: bytes, new: bytes) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    assert old in members[name]
    members[name] = members[name].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def test_a_cell_far_out_is_refused_before_a_sheet_is_made(tmp_path: Path) -> None:
    path = changed(write(tmp_path / "x.xlsx", {"D": ROWS}), "xl/worksheets/sheet1.xml", b'r="B21"', b'r="XFD1048576"')
    with pytest.raises(DataError, match=r"holds 1,048,576 rows of 16,384 columns, which take about \d+ GB"):
        read(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.xlsx", {"Data": ROWS})
    monkeypatch.setattr("rnnapps.data.tables.excel.MOST_BYTES", 1000)
    with pytest.raises(DataError, match=r"unpacks to [\d,]+ bytes; at most 1,000 are read; save the sheet as CSV"):
        read(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 xl/ nothing else", b"none", b""])
def test_what_is_no_workbook_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as an Excel workbook") as error:
        read(tmp_path / "x.xlsx")
    assert "\n" not in str(error.value)
