"""Rows that are lines: JSON, text, and CSV, whose rows may be several."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from rnnapps.data.compressed import plain_suffix
from rnnapps.data.csv_file import LONGEST_CELL
from rnnapps.errors import DataError
from rnnapps.scoring.row_format import CONTENT, Record, RowFormat, Told, opened

__all__ = ["COMMA_SEPARATED", "JSON_LINES", "TEXT_LINES"]

LONGEST_LINE = 64 << 20
"""Bytes of a line of JSON or text."""

NumberedLine = tuple[int, bytes | None]
"""A line with its number; None for one that is too long."""


def _lines(path: Path, read: Told) -> Iterator[NumberedLine]:
    """The lines that are not empty."""
    with opened(path, read) as file:
        number, long = 0, False
        while line := file.readline(LONGEST_LINE):
            ended = line.endswith(b"\n")
            number += not long
            if not long and (line.strip() or not ended):
                yield number, line.rstrip(b"\r\n") if ended or len(line) < LONGEST_LINE else None
            long = not ended


def _record(read: Callable[[bytes, bool], Mapping[str, Any] | str], path: Path, raw: NumberedLine) -> Record:
    """A line as a row; `read` makes its values of it, or says what is wrong with it."""
    number, line = raw
    found = f"is longer than {LONGEST_LINE >> 20} MiB" if line is None else read(line, number == 1)
    place = f"{path}, line {number}"
    return Record(place, path.parent, {}, found) if isinstance(found, str) else Record(place, path.parent, found)


def _json_values(line: bytes, first: bool) -> Mapping[str, Any] | str:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return "is not JSON"
    return values if isinstance(values, dict) else "is no JSON object"


def _text_values(line: bytes, first: bool) -> Mapping[str, Any] | str:
    try:
        return {CONTENT: line.decode("utf-8-sig" if first else "utf-8")}
    except UnicodeDecodeError:
        return "is not UTF-8 text"


def _cells(path: Path, read: Told) -> Iterator[tuple[int, dict[Any, Any]]]:
    """Rows by the names in the first one, each with its last line; cells that a row lacks are missing."""
    csv.field_size_limit(LONGEST_CELL)
    delimiter = "\t" if plain_suffix(path) == ".tsv" else ","
    with opened(path, read) as file:
        rows = csv.DictReader(_decoded(path, file), delimiter=delimiter, strict=True)
        try:
            for row in rows:
                yield rows.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(path, f"behind line {rows.line_num}: {error}", "correct the file") from None


def _cells_record(path: Path, raw: tuple[int, dict[Any, Any]]) -> Record:
    number, row = raw
    problem = "has more cells than the first line" if None in row else ""
    named = {name: cell for name, cell in row.items() if name is not None}
    return Record(f"{path}, line {number}", path.parent, named, problem)


def _decoded(path: Path, file: IO[bytes]) -> Iterator[str]:
    """The lines with their ends, whichever these are; raises DataError for one that is too long."""
    encoding = "utf-8-sig"
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            raise DataError(path, f"has a line of more than {LONGEST_LINE >> 20} MiB", "correct the file")
        yield from io.StringIO(line.decode(encoding), newline="")
        encoding = "utf-8"


JSON_LINES = RowFormat(_lines, partial(_record, _json_values))
TEXT_LINES = RowFormat(_lines, partial(_record, _text_values))
COMMA_SEPARATED = RowFormat(_cells, _cells_record)
