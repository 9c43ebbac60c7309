"""What a reader of tables is, and what it gives."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rnnapps.data.sources import read_bytes
from rnnapps.errors import DataError
from rnnapps.printable import name_list

__all__ = ["CsvCopy", "FoundTable", "TableOptions", "TableReader", "chosen", "read_text", "require_room"]

MOST_BYTES = 1 << 29
"""Of a text that is read whole."""
CELL_BYTES = 24
"""What a cell takes while a table is read: a number, and copies of it."""


@dataclass(frozen=True)
class TableOptions:
    """What a user says of a table.

    Attributes:
        table: name of the sheet, of the table of a database, or of what else a file holds several of; empty for the
            only one.
        query: the rows of a database to read, in SQL; empty for all of a table.
        frequency: distance of the rows, where a file does not say so; empty for unknown.
        timed: whether times are wanted.
    """

    table: str = ""
    query: str = ""
    frequency: str = ""
    timed: bool = True


@dataclass(frozen=True)
class FoundTable:
    """A table in memory.

    Attributes:
        frame: its columns.
        place: maps a row, counted from 0, to what a person calls it: "line 7".
        time: the column of times, where the format says so.
        series: the column that names the series, where the format says so.
        extra: columns that take part only where a setting names them.
        notes: what a person should know.
        texts_hold_numbers: whether numbers may be written as texts, as in JSON.
    """

    frame: pd.DataFrame
    place: Callable[[int], str]
    time: str = ""
    series: str = ""
    extra: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    texts_hold_numbers: bool = False


@dataclass(frozen=True)
class CsvCopy:
    """Cells of a table that are read as those of a CSV file are: titles, units and marks of numbers among them.

    Attributes:
        path: a CSV file with tabs between columns, whose lines are the rows of the table.
    """

    path: Path


class TableReader(abc.ABC):
    """Reads one format.

    A package offers one by an entry point of the group `rnnapps.table_readers` that names an instance.

    Attributes:
        title: what such a file is called: "a Parquet file".
        suffixes: endings of their names, in lower case.
        magic: how they begin.
        takes: options of `TableOptions` that mean something for it: `table`, `query`.
    """

    title: str = "a table"
    suffixes: tuple[str, ...] = ()
    magic: tuple[bytes, ...] = ()
    takes: tuple[str, ...] = ()

    def recognises(self, head: bytes) -> bool:
        """Whether a file is of this format by its first bytes, whatever its name."""
        return bool(self.magic) and head.startswith(self.magic)

    @abc.abstractmethod
    def read(self, path: Path, options: TableOptions) -> FoundTable | CsvCopy:
        """Reads a file.

        Raises:
            DataError: it is damaged, too large, or not what was expected; with the place.
        """


def read_text(path: Path, *, fallback: str = "") -> str:
    """The text of a file in UTF-8.

    Args:
        path: the file.
        fallback: another encoding, for what is no UTF-8; empty for none.

    Raises:
        DataError: it cannot be read, is too large, or is no text.
    """
    content = read_bytes(path, maximum_bytes=MOST_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if fallback and b"\0" not in content:
            return content.decode(fallback, errors="replace")
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(path, f"line {line}: is not UTF-8 text", "convert the file to UTF-8 (iconv)") from None


def require_room(path: Path | str, *, rows: int, columns: int) -> None:
    """Raises DataError for a table that takes more memory than the machine has, before it is read."""
    needed, memory = rows * max(columns, 1) * CELL_BYTES, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        problem = f"holds {rows:,} rows of {columns:,} columns, which take about {needed / 1e9:,.0f} GB of memory"
        raise DataError(path, problem, f"this machine has {memory / 1e9:,.0f} GB: give a part of it")


def chosen(path: Path | str, names: Sequence[str], wanted: str, noun: str) -> str:
    """The name that is wanted, or the only one.

    Args:
        path: what holds them.
        names: all there are.
        wanted: that of `data.table`; empty for the only one.
        noun: what they are: "sheets".

    Raises:
        DataError: there is none of this name, or several of which none is wanted.
    """
    listed = name_list([" ".join(name.split()) for name in names], 10)
    if not names:
        raise DataError(path, f"holds no {noun}", "give one that holds some")
    if wanted and wanted not in names:
        raise DataError(path, f"has no {wanted!r} among its {noun}", f"there are {listed}")
    if not wanted and len(names) > 1:
        raise DataError(path, f"holds {len(names):,} {noun}", f"choose one with --data.table: {listed}")
    return wanted or names[0]
