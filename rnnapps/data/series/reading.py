"""Tables of rows, read from CSV and Parquet files, as series."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.series import Series
from rnnapps.data.series.table_file import read_table
from rnnapps.data.series.table_series import table_series
from rnnapps.data.sources import list_files
from rnnapps.errors import DataError

__all__ = ["SUFFIXES", "read_series"]

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")


def read_series(config: SeriesDataConfig) -> list[Series]:
    """Reads a CSV or Parquet file, or every file of a folder as a series of its own.

    Returns:
        The series in the order of their first rows, or of the file names.

    Raises:
        DataError: a file is missing, is no table, or a cell is not what its column needs; with line and column.
    """
    path = Path(config.source)
    if not path.is_dir():
        return table_series(read_table(path, config), config, name=path.stem)
    files = list_files(path, SUFFIXES)
    if not files:
        raise DataError(path, "holds no table", f"put files ending in {', '.join(SUFFIXES)} there")
    found = [each for file in files for each in table_series(read_table(file, config), config, name=file.stem)]
    for each in found[1:]:
        for role in ("channels", "known_names", "category_names", "static_names", "static_text_names"):
            first, own = getattr(found[0], role), getattr(each, role)
            if own != first:
                problem = f"has the columns {', '.join(own)}, but {found[0].source} has {', '.join(first)}"
                raise DataError(each.source, problem, "give all files of a folder the same columns")
    return _same_levels(_unique_names(found))


def _unique_names(series: list[Series]) -> list[Series]:
    """Names a series after its file too where two files have one of that name."""
    names = [each.name for each in series]
    return [
        dataclasses.replace(each, name=f"{Path(each.source).stem}/{each.name}") if names.count(each.name) > 1 else each
        for each in series
    ]


def _same_levels(series: list[Series]) -> list[Series]:
    """Numbers the levels of categories alike in all series."""
    count = len(series[0].category_names)
    if not count or all(each.category_levels == series[0].category_levels for each in series):
        return series
    shared = tuple(
        tuple(sorted({level for each in series for level in each.category_levels[column]})) for column in range(count)
    )
    return [_renumbered(each, shared) for each in series]


def _renumbered(series: Series, shared: tuple[tuple[str, ...], ...]) -> Series:
    """The series with its categories counted by levels that all series share."""
    columns = []
    for column, (own, new) in enumerate(zip(series.category_levels, shared, strict=True)):
        table = np.array([*(new.index(level) for level in own), -1], np.int32)
        columns.append(table[series.categories[:, column]])
    return dataclasses.replace(series, categories=np.stack(columns, axis=1), category_levels=shared)
