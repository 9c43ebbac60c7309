"""Lists in CSV: rows by the names of their columns, or one line that says where the file is wrong."""

from __future__ import annotations

import pytest

from rnnapps.data.csv_dicts import csv_dicts
from rnnapps.errors import DataError


def test_rows_have_their_lines_and_cells() -> None:
    names, rows = csv_dicts("list.csv", 'a,b\n1,"x\ny"\n2\n3,4,5\n')
    assert names == {"a", "b"}
    assert list(rows) == [
        ("line 3", {"a": "1", "b": "x\ny"}),
        ("line 4", {"a": "2", "b": ""}),
        ("line 5", {"a": "3", "b": "4"}),
    ]


def test_a_long_cell_is_read() -> None:
    assert [len(row["a"]) for _, row in csv_dicts("list.csv", f"a\n{'x' * 200_000}\n")[1]] == [200_000]


def test_a_cell_that_is_too_long_is_one_line() -> None:
    with pytest.raises(DataError, match="line 2: field larger than field limit"):
        list(csv_dicts("list.csv", f"a\n{'x' * (1 << 24 | 1)}\n")[1])
