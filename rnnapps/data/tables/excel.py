"""Workbooks of Excel: a sheet is read as the cells of a CSV file are."""

from __future__ import annotations

import csv
import datetime
import functools
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnapps.data.compressed import BROKEN
from rnnapps.data.converters import reason_of
from rnnapps.data.tables.reader import CsvCopy, TableOptions, TableReader, chosen, require_room
from rnnapps.data.temporary import temporary_folder
from rnnapps.errors import DataError

__all__ = ["ExcelReader"]

MOST_BYTES = 1 << 30
"""Of a workbook, unpacked."""
CHUNK_BYTES = 1 << 20
OVERLAP = 64
_CELL = re.compile(rb'<[A-Za-z0-9]*:?c [^<>]{0,200}?r="([A-Z]{1,3})([0-9]{1,7})"')
NEEDED = "pip install 'rnnapps[excel]', or save the sheet as CSV in UTF-8"
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class ExcelReader(TableReader):
    """`.xlsx`, `.xlsm` and `.xls` by python-calamine; titles, units and sums are told as those of CSV files are."""

    title, suffixes = "an Excel workbook", (".xlsx", ".xlsm", ".xls")
    takes = ("table",)

    def recognises(self, head: bytes) -> bool:
        """Whether it is a ZIP archive that holds a workbook."""
        return head.startswith(_ZIP) and b"xl/" in head

    def read(self, path: Path, options: TableOptions) -> CsvCopy:
        """Reads the only sheet that holds something, or the one that a setting names."""
        try:
            import python_calamine as calamine
        except ImportError:
            raise DataError(path, "is an Excel workbook, for which a package is missing", NEEDED) from None
        _check_size(path)
        try:
            with open(path, "rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
                filled = {name: rows for name in _wanted(path, book, options) if (rows := _rows(book, name))}
        except DataError:
            raise
        except Exception as error:  # of many kinds, for damaged files
            raise _damaged(path, error) from None
        name = chosen(path, list(filled), options.table, "sheets with rows")
        return CsvCopy(_written(path, filled[name]))


def _wanted(path: Path, book: Any, options: TableOptions) -> list[str]:
    """Names of the sheets to look at."""
    names = list(book.sheet_names)
    return [chosen(path, names, options.table, "sheets")] if options.table else names


def _rows(book: Any, name: str) -> list[list[Any]]:
    """The rows of a sheet from its first one on, so that they keep their numbers; none of an empty one."""
    rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return rows if any(cell != "" for row in rows for cell in row) else []


def _damaged(path: Path, error: Exception) -> DataError:
    """What to tell of a workbook that cannot be read."""
    return DataError(path, f"cannot be read as an Excel workbook ({reason_of(error)})", "save it again")


def _check_size(path: Path) -> None:
    """Raises DataError for a workbook that unpacks to too much, or whose last cell lies too far out, before it is read.

    A sheet takes as much memory as the rectangle from its first cell to its last one, however few there are.
    """
    with open(path, "rb") as file:
        if file.read(4) == _OLD:
            return  # at most 65,536 rows of 256 columns
    try:
        with zipfile.ZipFile(path) as archive:
            if any(name.lower().endswith("workbook.bin") for name in archive.namelist()):
                raise DataError(path, "is a binary workbook (.xlsb)", "save it as .xlsx, or the sheet as CSV in UTF-8")
            total = sum(entry.file_size for entry in archive.infolist())
            if total > MOST_BYTES:
                problem = f"unpacks to {total:,} bytes; at most {MOST_BYTES:,} are read"
                raise DataError(path, problem, "save the sheet as CSV in UTF-8")
            for entry in archive.infolist():
                rows, columns = _extent(archive, entry)
                require_room(path, rows=rows, columns=columns)
    except (*BROKEN, zipfile.BadZipFile, RuntimeError) as error:
        raise _damaged(path, error) from None


def _extent(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """The last row and column that a member names; reading it to its end checks its size and its sum too."""
    rows = columns = 0
    with archive.open(entry) as stream:
        before = b""
        while chunk := stream.read(CHUNK_BYTES):
            for letters, digits in _CELL.findall(before + chunk):
                rows, columns = max(rows, int(digits)), max(columns, _column(letters))
            before = chunk[-OVERLAP:]
    return rows, columns


def _column(letters: bytes) -> int:
    """The number of a column: 1 of A, 27 of AA."""
    return functools.reduce(lambda number, letter: 26 * number + letter - 64, letters, 0)


def _written(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """A CSV file of the rows, without the empty columns on the right; titles above the first full row end early."""
    texts = [[_text(cell) for cell in row] for row in rows]
    width = max(map(_filled, texts))
    full = next((number for number, row in enumerate(texts) if all(row[:width])), 0)
    cut = [row[: _filled(row) if number < full else width] for number, row in enumerate(texts)]
    target = Path(tempfile.mkdtemp(dir=temporary_folder("excel"))) / f"{path.stem}.csv"
    with open(target, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows(cut)
    return target


def _filled(row: Sequence[str]) -> int:
    """Number of cells up to the last that is not empty."""
    return next((number for number in range(len(row), 0, -1) if row[number - 1]), 0)


def _text(cell: Any) -> str:
    """A cell as a CSV file has it: whole numbers without a point, times in ISO 8601."""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ") if cell.time() != datetime.time() else cell.date().isoformat()
    return " ".join(str(cell).split())
