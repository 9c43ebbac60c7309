"""Rows of a table, written piece by piece, and brought into groups: those of a series behind one another."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd

from rnnapps.data.series.table_frame import Table
from rnnapps.data.series.table_series import table_columns, table_groups
from rnnapps.data.stored.arrays import ArrayWriter, StoredArray
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["RowWriter", "group_rows", "sort_levels"]

AT_ONCE = 1 << 20
"""Rows that are moved at once."""

CODES, ENDS, ROWS, CATEGORIES = "codes.npy", "ends.npy", "rows.npy", "categories.npy"


class RowWriter:
    """Writes the columns of a table, as files of arrays, row by row.

    Args:
        folder: an empty folder.
        name: of the only series, where no column names one.

    Attributes:
        names: number of each series, in the order of their first rows.
        aware: whether times are of UTC, not of clocks.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.aware = folder, name, False
        self.names: dict[str, int] = {}
        self._levels: list[dict[str, int]] = []
        self._counts = np.zeros(0, np.int64)
        self._files: dict[str, ArrayWriter] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def append(self, piece: Table, times: pd.DatetimeIndex | None) -> None:
        """Adds the rows of a piece of the table, and their times."""
        columns = table_columns(piece)
        levels = columns.pop("category_levels")
        columns["categories"] = self._numbered(columns["categories"], levels)
        if times is not None:
            if self._files and self.aware != (times.tz is not None):
                problem = f"{piece.place(0)}: from here on times name {'an' if times.tz else 'no'} offset from UTC"
                raise DataError(piece.path, problem, "write all times in one way")
            self.aware = times.tz is not None
            naive = times.tz_localize(None) if self.aware else times
            columns["times"] = naive.as_unit("ns").asi8
        names, members = table_groups(piece, self.name)
        codes = np.zeros(len(piece.frame), np.int32)
        for name, rows in zip(names, members, strict=True):
            codes[slice(None) if rows is None else rows] = self.names.setdefault(name, len(self.names))
        self._counts = np.pad(self._counts, (0, len(self.names) - len(self._counts)))
        self._counts += np.bincount(codes, minlength=len(self.names))
        for key, column in {**columns, "codes": codes}.items():
            self._file(key, column).append(column)

    def counts(self) -> Array:
        """Rows of each series."""
        return self._counts

    def levels(self) -> list[list[str]]:
        """The levels of each category, in the order of their numbers on disk."""
        return [list(levels) for levels in self._levels]

    def _file(self, key: str, column: Array) -> ArrayWriter:
        """The file of a column."""
        if key not in self._files:
            writer = ArrayWriter(self.folder / f"{key}.npy", column.dtype, column.shape[1:])
            self._files[key] = self._stack.enter_context(writer)
        return self._files[key]

    def _numbered(self, categories: Array, levels: tuple[tuple[str, ...], ...]) -> Array:
        """Categories of a piece by the numbers that their levels have in all pieces."""
        self._levels = self._levels or [{} for _ in levels]
        columns = []
        for own, all_levels, column in zip(levels, self._levels, categories.T, strict=True):
            numbers = [all_levels.setdefault(level, len(all_levels)) for level in own]
            columns.append(np.array([*numbers, -1], np.int32)[column])
        return np.stack(columns, axis=1) if columns else categories


def group_rows(folder: Path, counts: Array) -> None:
    """Brings the rows of each series together, in their order, and writes where each series ends.

    Args:
        folder: what `RowWriter` wrote.
        counts: rows of each series.
    """
    ends = np.cumsum(counts)
    np.save(folder / ENDS, ends)
    codes = StoredArray(folder / CODES)
    (folder / CODES).unlink()
    if all(_ascends(codes, start) for start in range(0, len(codes), AT_ONCE)):
        return
    for path in [*folder.glob("*.npy")]:
        if path.name != ENDS:
            _move(path, codes, ends - counts)
    _move(folder / ROWS, codes, ends - counts)


def sort_levels(folder: Path, levels: list[list[str]]) -> list[list[str]]:
    """Numbers the levels of categories in their order, and returns them so.

    Args:
        folder: what `RowWriter` wrote.
        levels: those of each column, by their numbers there.
    """
    tables = [np.array([*(sorted(own).index(level) for level in own), -1], np.int32) for own in levels]
    if levels:
        path = folder / CATEGORIES
        categories = np.lib.format.open_memmap(path, mode="r+")
        for start in range(0, len(categories), AT_ONCE):
            for column, table in enumerate(tables):
                own = categories[start : start + AT_ONCE, column]
                own[:] = table[own]
        categories.flush()
    return [sorted(own) for own in levels]


def _ascends(codes: StoredArray, start: int) -> bool:
    """Whether no row of a stretch, and none behind it, is of an earlier series."""
    return bool((np.diff(codes[start : start + AT_ONCE + 1]) >= 0).all())


def _move(path: Path, codes: StoredArray, starts: Array) -> None:
    """Writes an array again with its rows in groups; one that is not there counts the rows."""
    source = StoredArray(path) if path.exists() else None
    shape, dtype = ((len(codes),), np.dtype(np.int64)) if source is None else (source.shape, source.dtype)
    path.unlink(missing_ok=True)
    target = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    free = starts.copy()
    for start in range(0, len(codes), AT_ONCE):
        own = codes[start : start + AT_ONCE]
        order = np.argsort(own, kind="stable")
        counts = np.bincount(own, minlength=len(free))
        rank = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
        places = free[own[order]] + rank
        rows = np.arange(start, start + len(own)) if source is None else source[start : start + AT_ONCE]
        target[places] = rows[order]
        free += counts
    target.flush()
