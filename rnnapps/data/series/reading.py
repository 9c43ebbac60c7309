"""Tables of rows as series."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_stem
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.large_series import SeriesStore
from rnnapps.data.series.series import Series
from rnnapps.data.series.table_file import read_table
from rnnapps.data.series.table_frame import Table
from rnnapps.data.series.table_series import table_series
from rnnapps.data.sources import list_files
from rnnapps.data.tables.database import is_database
from rnnapps.data.tables.readers import table_suffixes
from rnnapps.errors import DataError

__all__ = [
    "SUFFIXES",
    "join_tables",
    "joined_series",
    "read_series",
    "require_same_columns",
    "share_frequency",
    "share_levels",
]

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
"""Of the tables of a folder; where none ends so, those of the other formats are taken."""


def read_series(
    config: SeriesDataConfig, known: Mapping[str, str] | None = None, good: GoodExamples | None = None
) -> list[Series]:
    """Reads a table, or every file of a folder as a series of its own.

    Args:
        config: where they are, and what the user says of them.
        known: how the cells of the training data were written, see `Series.rules`.
        good: counts the files of a folder that cannot be read, and finishes elsewhere; by default here.

    Returns:
        The series in the order of their first rows, or of the file names.

    Raises:
        DataError: a file is missing, is no table, or a cell is not what its column needs; with line and column.
    """
    if is_database(config.source):
        name = config.table or "query"
        return share_frequency(table_series(read_table(config.source, config, known), config, name=name, known=known))
    path = unpacked_source(config.source)
    if not path.is_dir():
        store = SeriesStore.of([path], config)
        return share_frequency(_file_series(path, config, known, name=path.stem, store=store))
    files = list_files(path, SUFFIXES) or list_files(path, table_suffixes())
    if not files:
        endings = ", ".join(dict.fromkeys((*SUFFIXES, *table_suffixes())))
        raise DataError(path, "holds no table", f"put files ending in {endings} there")
    own, store = good or GoodExamples(path, config, noun="tables"), SeriesStore.of(files, config)
    names = [plain_stem(file) for file in files]
    read = partial(_named_series, config=config, known=known, store=store)
    each = (partial(read, file, name=name) for file, name in zip(files, names, strict=True))
    found = [pair for pairs in own.read(each) for pair in pairs]
    if good is None or not found:
        own.finish()
    return joined_series(found)


def _named_series(
    path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None, *, name: str, store: SeriesStore | None
) -> list[tuple[str, Series]]:
    """The series of one file of a folder, each with the name of the file."""
    return [(name, series) for series in _file_series(path, config, known, name=name, store=store)]


def _file_series(
    path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None, *, name: str, store: SeriesStore | None
) -> list[Series]:
    """The series of one file: on disk, where they are kept there and the file can be read in pieces."""
    large = store.read(path, known, name=name) if store else None
    return large or table_series(read_table(path, config, known), config, name=name, known=known)


def join_tables(
    tables: Iterable[tuple[str, Table]], config: SeriesDataConfig, known: Mapping[str, str] | None = None
) -> list[Series]:
    """The series of several tables, which have the same columns.

    Args:
        tables: (name, table) of each, the name being that of its only series.
        config: see `table_series`.
        known: see `table_series`.

    Raises:
        DataError: the columns differ, or see `table_series`.
    """
    return joined_series(
        [(name, series) for name, table in tables for series in table_series(table, config, name=name, known=known)]
    )


def joined_series(found: Sequence[tuple[str, Series]]) -> list[Series]:
    """The series of several tables, each given with the name of its table, as those of one source.

    Raises:
        DataError: the columns differ.
    """
    require_same_columns([series for _, series in found])
    return share_frequency(share_levels(_unique_names(found)))


def share_frequency(series: list[Series]) -> list[Series]:
    """Gives series of a single row, which shows no frequency, that of the others, where these share one."""
    shared = {each.frequency for each in series if len(each) > 1}
    if len(shared) != 1:
        return series
    (frequency,) = shared
    return [dataclasses.replace(each, frequency=frequency) if len(each) == 1 else each for each in series]


def require_same_columns(series: Sequence[Series]) -> None:
    """Raises DataError, unless all series have the columns of the first."""
    for each in series[1:]:
        for role in ("channels", "known_names", "category_names", "static_names", "static_text_names"):
            first, own = getattr(series[0], role), getattr(each, role)
            if own != first:
                problem = f"has the columns {', '.join(own)}, but {series[0].source} has {', '.join(first)}"
                raise DataError(each.source, problem, "give all files of a folder, and all frames, the same columns")


def _unique_names(found: Sequence[tuple[str, Series]]) -> list[Series]:
    """Names a series after its table too where two tables have one of that name."""
    names = Counter(series.name for _, series in found)
    return [
        dataclasses.replace(series, name=f"{table}/{series.name}") if names[series.name] > 1 else series
        for table, series in found
    ]


def share_levels(series: list[Series]) -> list[Series]:
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
