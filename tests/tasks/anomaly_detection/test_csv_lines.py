"""CSV that we write: read back by a CSV reader, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.anomaly_detection.csv_lines import csv_line, without_formulas


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_reader_reads_back_what_was_written(cells: list[str]) -> None:
    line = csv_line(cells)
    (back,) = csv.reader(io.StringIO(line, newline=""))
    assert back == [without_formulas(cell) for cell in cells]
    assert [cell.replace("'", "") for cell in back] == [cell.replace("'", "") for cell in cells]


@given(st.text(alphabet="=+-@;,|\t\n 'a1"), st.sampled_from(",;\t|\n"))
def test_no_cell_begins_a_formula_whatever_separates_cells(text: str, separator: str) -> None:
    for cell in without_formulas(text).split(separator):
        assert re.match(r"\s*[=+\-@]", cell) is None or re.fullmatch(r"[+-]?[\d.]+", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('=1+1, "x"', '\'=1+1, "x"'),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("a;@sum", "a;'@sum"),
        ("-12.5e3", "-12.5e3"),
        ("pump-7, hall 2", "pump-7, hall 2"),
        ("\uff1dformula", "'\uff1dformula"),
    ],
)
def test_by_hand(text: str, expected: str) -> None:
    assert without_formulas(text) == expected
