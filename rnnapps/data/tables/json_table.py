"""Tables in JSON: rows as objects, one a line or in a list, or columns as lists."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rnnapps.data.tables.json_values import json_lines, json_value
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, chosen, read_text, require_room
from rnnapps.errors import DataError

__all__ = ["JsonReader"]

_BEGIN = re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*"|\[\s*[\[{])')
FORMS = 'give rows [{"time": ..., "load": ...}, ...], one such object a line, or columns {"time": [...], "load": [...]}'


class JsonReader(TableReader):
    """JSON and JSON lines."""

    title, suffixes = "a JSON file", (".json", ".jsonl", ".ndjson")
    takes = ("table",)

    def recognises(self, head: bytes) -> bool:
        """Whether it begins as an object or a list of objects or lists, as no table of another kind does."""
        return _BEGIN.match(head) is not None

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads a file; values that are objects or lists are left out, unless they are asked for."""
        text = read_text(path)
        if not text.strip():
            raise DataError(path, "is empty", FORMS)
        if _is_of_lines(text):
            numbers, rows = zip(*json_lines(path, text), strict=True)
            return _of_rows(path, rows, lambda row: f"line {numbers[row]}")
        return _of_document(path, json_value(path, text), options)


def _is_of_lines(text: str) -> bool:
    """Whether the first line is an object of its own, and more follow."""
    first, _, rest = text.strip().partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")


def _of_document(path: Path, content: Any, options: TableOptions) -> FoundTable:
    """The table of a document."""
    if isinstance(content, list):
        return _of_rows(path, content, lambda row: f"row {row + 1}")
    if not isinstance(content, dict):
        raise DataError(path, f"holds {str(content)[:60]!r} and no table", FORMS)
    if set(content) >= {"columns", "data"} and isinstance(content["columns"], list):  # as pandas writes "split"
        return _of_split(path, content)
    tables = {name: value for name, value in content.items() if _is_rows(value)}
    if tables:
        name = chosen(path, list(tables), options.table, "lists of rows")
        found = _of_rows(path, tables[name], lambda row: f"{name}, row {row + 1}")
        told = () if len(content) == 1 else (f"the rows of {name!r} are read",)
        return dataclasses.replace(found, notes=(*found.notes, *told))
    if all(isinstance(value, list) for value in content.values()):
        return _of_columns(path, content)
    if all(isinstance(value, dict) for value in content.values()):  # as pandas writes by default: {column: {index: }}
        return _of_indexed(path, content)
    return _of_rows(path, [content], lambda row: f"row {row + 1}")


def _is_rows(value: Any) -> bool:
    """Whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _of_rows(path: Path, rows: Sequence[Any], place: Callable[[int], str]) -> FoundTable:
    """The table of objects."""
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise DataError(path, f"{place(number)}: expected an object, found {str(row)[:60]!r}", FORMS)
    names = list(dict.fromkeys(name for row in rows for name in row))
    require_room(path, rows=len(rows), columns=len(names))
    return _table(path, {name: [row.get(name) for row in rows] for name in names}, place)


def _of_columns(path: Path, columns: Mapping[str, Sequence[Any]]) -> FoundTable:
    """The table of columns, which must be equally long."""
    lengths = {name: len(cells) for name, cells in columns.items()}
    if len(set(lengths.values())) > 1:
        (first, rows), (name, other) = next(iter(lengths.items())), min(lengths.items(), key=lambda pair: pair[1])
        name, other = (name, other) if other != rows else max(lengths.items(), key=lambda pair: pair[1])
        raise DataError(path, f"column {name!r} has {other:,} values, but {first!r} has {rows:,}", FORMS)
    return _table(path, columns, lambda row: f"row {row + 1}")


def _of_split(path: Path, content: Mapping[str, Any]) -> FoundTable:
    """The table of a list of names and a list of rows."""
    names, rows = [str(name) for name in content["columns"]], content["data"]
    if not isinstance(rows, list) or len(set(names)) < len(names):
        raise DataError(path, "names a column twice, or its data is no list", FORMS)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise DataError(path, f"row {number + 1}: expected a list of {len(names)} values", "correct the row")
    columns = {name: [row[column] for row in rows] for column, name in enumerate(names)}
    index = content.get("index")
    if isinstance(index, list) and len(index) == len(rows) and any(isinstance(label, str) for label in index):
        columns = {"time": index, **columns} if "time" not in columns else columns
    return _table(path, columns, lambda row: f"row {row + 1}")


def _of_indexed(path: Path, content: Mapping[str, Mapping[str, Any]]) -> FoundTable:
    """The table of columns whose cells have labels; these are a column too, unless they only count the rows."""
    labels = list(dict.fromkeys(label for cells in content.values() for label in cells))
    columns: dict[str, list[Any]] = {name: [cells.get(label) for label in labels] for name, cells in content.items()}
    if labels != [str(number) for number in range(len(labels))] and "time" not in columns:
        columns = {"time": labels, **columns}
    return _table(path, columns, lambda row: f"row {row + 1}")


def _table(path: Path, columns: Mapping[str, Sequence[Any]], place: Callable[[int], str]) -> FoundTable:
    """A table of columns of plain values."""
    if not columns or not any(len(cells) for cells in columns.values()):
        raise DataError(path, "holds no rows", FORMS)
    nested = tuple(name for name, cells in columns.items() if any(isinstance(cell, dict | list) for cell in cells))
    frame = pd.DataFrame(
        {name: pd.Series(list(cells), dtype=object).infer_objects() for name, cells in columns.items()}
    )
    told = (f"columns {', '.join(map(repr, nested))} hold lists or objects and are left out",) if nested else ()
    return FoundTable(frame, place, extra=nested, notes=told, texts_hold_numbers=True)
