"""The shape of a CSV file: encoding, separator, decimal character, header, and lines of the right number of columns."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnapps.data.file_kinds import HEAD_BYTES, require_table
from rnnapps.data.number_cells import MISSING, columns_with_units, has_decimal_comma, read_number, without_unit
from rnnapps.data.preamble import joined_header, lines_that_are_no_rows, shown_lines, without_lines
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.sources import read_head
from rnnapps.errors import DataError

__all__ = ["LONGEST_CELL", "SEPARATORS", "CsvShape", "inspect_csv"]

LONGEST_CELL = 1 << 24
"""Characters; the csv module's own limit, 131,072, refuses cells that other readers take."""
csv.field_size_limit(LONGEST_CELL)

SEPARATORS = (",", ";", "\t", "|")
CHUNK_BYTES = 1 << 24
SAMPLE_ROWS = 500
_NAMED_SEPARATOR = re.compile(r"[Ss]ep=([,;|\t])\r?\n")
"""The first line of files for Excel, which names what stands between columns."""


@dataclass(frozen=True)
class CsvShape:
    """How a CSV file is to be read.

    Attributes:
        path: the file.
        separator: character between columns.
        decimal: decimal character.
        names: the columns.
        sample: the first rows, as text, without units.
        missing: cells that mean "not measured", beside `MISSING`.
        skipped: numbers of the lines that are no rows.
        units: column -> the unit that stands in all of its cells, such as kW or %.
        unnamed: whether the first column has no name.
    """

    path: Path
    separator: str
    decimal: str
    names: tuple[str, ...]
    sample: list[list[str]]
    missing: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    unnamed: bool = False

    def number(self, cell: str, *, column: str = "") -> float | None:
        """The number a cell holds without the unit of its column, see `read_number`."""
        return read_number(without_unit(cell, self.units.get(column, "")), self.decimal, missing=self.missing)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line number, cells) of each row behind the header; slow, for finding where an error is."""
        with open(self.path, encoding="utf-8-sig", newline="") as file:
            lines = without_lines(file, self.skipped)
            reader = csv.reader(lines, delimiter=self.separator, skipinitialspace=True)
            rows = ((reader.line_num, row) for row in reader if row)
            next(rows, None)
            yield from rows

    def line(self, row: int) -> int:
        """Line of a row; row 0 is the first behind the header."""
        return next((number for index, (number, _) in enumerate(self.rows()) if index == row), row + 2)


def inspect_csv(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None = None) -> CsvShape:
    """Finds separator and decimal character, and checks encoding and every line's number of columns.

    Args:
        path: the file.
        config: what the user says of it.
        known: the separator and the decimal character of the training data, which decide where this file leaves open
            what its marks mean; lines that are no rows are then left out, and told.

    Raises:
        DataError: the file is missing, empty, no UTF-8 text, has no usable header, or a line has too many or too few
            columns.
    """
    head = _head(path)
    named = _NAMED_SEPARATOR.match(head)
    if named:
        config = dataclasses.replace(config, separator=named[1] if config.separator == "auto" else config.separator)
        head = "\n" + head[named.end() :]
    skipped = config.skip_lines or _lines_without_rows(path, head, config, known, said=bool(named))
    skipped = (1, *skipped) if named and 1 not in skipped else skipped
    head = "".join(without_lines(head.splitlines(keepends=True), skipped))
    lines = head.splitlines()
    if not any(line.strip() for line in lines):
        raise DataError(path, "is empty", "expected a line of column names and then rows")
    separator = _separator(lines) if config.separator == "auto" else config.separator
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator, skipinitialspace=True)
    numbered = [(reader.line_num, row) for row in reader if row]
    if len(head) >= HEAD_BYTES // 2 and len(numbered) > 1:
        numbered.pop()  # the head may end within a line
    header, rows = numbered[: config.header_lines], [row for _, row in numbered[config.header_lines - 1 :]]
    names = joined_header([row for _, row in header])
    skipped = (*skipped, *(line for line, _ in header[1:]))
    _check_header(path, names)
    if skipped:
        _check_quoted(path, separator, len(names), skipped)
    else:
        _check_lines(path, separator, len(names))
    sample = [row for row in rows[1 : SAMPLE_ROWS + 1] if len(row) == len(names)]
    if not sample:
        raise DataError(path, "has column names but no rows", "add rows")
    missing = tuple(map(str, config.missing))
    units = dict(columns_with_units(names, sample, missing))
    sample = [
        [without_unit(cell, units.get(name, "")) for name, cell in zip(names, row, strict=True)] for row in sample
    ]
    decimal = _decimal(separator, names, sample, known or {}) if config.decimal == "auto" else config.decimal
    if decimal == separator:
        raise DataError(path, f"uses {decimal!r} both between columns and in numbers", "give another --data.decimal")
    unnamed = not any(row[0].strip() for _, row in header)
    return CsvShape(path, separator, decimal, names, sample, missing, skipped, units, unnamed=unnamed)


def _head(path: Path) -> str:
    """The first bytes of the file as text, once it is known to be text."""
    content = read_head(path, HEAD_BYTES)
    require_table(content, path)
    text = content.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff")


def _separator(lines: Sequence[str]) -> str:
    """The separator that cuts the first lines most often, all into the same number of columns."""
    sample = [line for line in lines[:-1] or lines if line.strip()][:50]

    def score(separator: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(sample, delimiter=separator, skipinitialspace=True) if row]
        return len(set(counts)) == 1 and counts[0] > 1, counts[0] if counts else 0

    return max(SEPARATORS, key=lambda separator: (*score(separator), -SEPARATORS.index(separator)))


def _check_header(path: Path, names: Sequence[str]) -> None:
    """Raises DataError unless all columns have names, and each its own."""
    numbers = [name for name in names if read_number(name, ".") is not None and name not in MISSING]
    if numbers:
        problem = f"line 1 holds the number {numbers[0]!r} where column names are expected"
        raise DataError(path, problem, "put a line of names first")
    for column, name in enumerate(names):
        if not name:
            raise DataError(path, f"line 1: column {column + 1} has no name", "name it")
        if name in names[:column]:
            remedy = "give columns different names, or, if two lines name them, --data.header_lines 2"
            raise DataError(path, f"line 1: the name {name!r} occurs twice", remedy)


class _OpenLine(NamedTuple):
    """The line that a chunk of a file breaks off, counted from 1, with what was read of it: separators and bytes."""

    number: int
    separators: int
    length: int


def _check_lines(path: Path, separator: str, columns: int) -> None:
    """Reads the whole file once: valid UTF-8, and as many columns in every line as in the header."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, offset = _OpenLine(1, 0, 0), 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if b'"' in chunk or b"\r" in chunk.replace(b"\r\n", b"").removesuffix(b"\r"):
                return _check_quoted(path, separator, columns)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                number = line.number + chunk.count(b"\n", 0, max(error.start, 0))
                problem = f"line {number}: is not UTF-8 text (byte {offset + error.start:,})"
                raise DataError(path, problem, "convert the file to UTF-8 (iconv)") from None
            line = _check_chunk(path, chunk, line, separator=separator, columns=columns)
            offset += len(chunk)
    if line.length:
        _check_count(path, line.number, line.separators + 1, columns)
    return None


def _check_chunk(path: Path, chunk: bytes, line: _OpenLine, *, separator: str, columns: int) -> _OpenLine:
    """Checks the lines that end in a chunk; takes the one that goes on into it, returns the one that goes on behind."""
    content = np.frombuffer(chunk, np.uint8)
    ends = np.flatnonzero(content == ord("\n"))
    # Separators up to each byte: a line's are the difference between two line ends, with no loop over lines.
    separators = np.cumsum(content == ord(separator), dtype=np.int64)
    if not len(ends):
        return _OpenLine(line.number, line.separators + int(separators[-1]), line.length + len(content))
    counts = np.diff(separators[ends], prepend=0)
    counts[0] += line.separators
    lengths = np.diff(ends, prepend=-1) - 1 - (content[np.maximum(ends - 1, 0)] == ord("\r"))
    lengths[0] += line.length
    wrong = np.flatnonzero((counts + 1 != columns) & (lengths > 0))
    if len(wrong):
        _check_count(path, line.number + int(wrong[0]), int(counts[wrong[0]]) + 1, columns)
    behind = int(separators[-1] - separators[ends[-1]])
    return _OpenLine(line.number + len(ends), behind, len(content) - 1 - int(ends[-1]))


def _lines_without_rows(
    path: Path, head: str, config: SeriesDataConfig, known: Mapping[str, str] | None, *, said: bool
) -> tuple[int, ...]:
    """Lines above the column names, below them or at the end that are no rows; training refuses them.

    The first line is none of them where it says what the separator is.
    """
    lines = head.splitlines() if len(head) < HEAD_BYTES // 2 else head.splitlines()[:-1]
    if not any(line.strip() for line in lines):
        return ()
    separators = SEPARATORS if config.separator == "auto" else [config.separator]
    found = lines_that_are_no_rows(lines, separators, MISSING)
    first = next(number for number in range(1, len(lines) + 1) if number not in found)  # the names stand there
    own = range(first, first + config.header_lines)
    found = [number for number in found if number not in own and not (said and number == 1)]
    told = f"{shown_lines(found)}: no row of the table" if found else ""
    if found and known is None:
        remedy = f"leave {'it' if len(found) == 1 else 'them'} out with --data.skip_lines '{found}'"
        if first + 1 in found:
            remedy += f", or, if line {first + 1} names columns too, give --data.header_lines 2"
        raise DataError(path, told, remedy)
    if found:
        print(f"{path}: {told}, and left out", file=sys.stderr)
    return tuple(found)


def _check_quoted(path: Path, separator: str, columns: int, skipped: Sequence[int] = ()) -> None:
    """The same for files with quotes, where a cell may hold separators and line ends."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = without_lines(file, skipped)
            reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
            for row in reader:
                if row:
                    _check_count(path, reader.line_num, len(row), columns)
    except UnicodeDecodeError as error:
        raise DataError(path, f"is not UTF-8 text (byte {error.start:,})", "convert it to UTF-8 (iconv)") from None
    except csv.Error as error:
        raise DataError(path, f"line {reader.line_num}: {error}", "check the quotes") from None


def _check_count(path: Path, line: int, found: int, columns: int) -> None:
    """Raises DataError unless a line has as many columns as the header."""
    if found != columns:
        problem = f"line {line}: {found} column{'s' * (found != 1)}, but the header names {columns}"
        remedy = "correct the line, or name the separator with --data.separator"
        raise DataError(path, problem, remedy)


def _decimal(separator: str, names: Sequence[str], sample: Sequence[Sequence[str]], known: Mapping[str, str]) -> str:
    """A comma where a column of the sample holds numbers with commas; that of the training data, where it fits too."""
    if separator == ",":
        return "."
    found, before = _shown_decimal(names, sample), known.get("decimal", "")
    marked = [cell for row in sample for cell in row if read_number(cell, found) is not None]
    if known.get("separator") == separator and before and all(read_number(cell, before) is not None for cell in marked):
        return before
    return found


def _shown_decimal(names: Sequence[str], sample: Sequence[Sequence[str]]) -> str:
    """The decimal character that a sample shows."""
    for column in range(len(names)):
        cells = [row[column].strip() for row in sample]
        if any(map(has_decimal_comma, cells)) and all(read_number(cell, ",") is not None for cell in cells):
            return ","
    return "."
