"""Rows that Python users give one after another, or some at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from rnnapps.data.given import MEMORY
from rnnapps.data.series.column_names import has_column
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.given_series import arrow_frame, given_table, is_arrow
from rnnapps.data.series.table_frame import Table
from rnnapps.errors import DataError

__all__ = ["given_chunks"]

FORMS = "give a frame, an array (rows, channels), or an iterable of rows or of such chunks"


def given_chunks(given: object, config: SeriesDataConfig) -> Iterator[Table]:
    """Rows as tables, each as soon as it is there.

    Args:
        given: a frame, a column or an array, which is one table; or an iterable of them and of single rows: mappings
            column -> value, rows of a frame (a series whose name is the time), arrays `(channels,)`, or numbers of the
            only channel.
        config: what columns mean. Its column of series may be missing.

    Raises:
        DataError: it is something else, or a cell is not what its column needs; with row and column.
    """
    row = 0
    for chunk in _chunks(given):
        names = (*chunk.columns, *chunk.index.names) if isinstance(chunk, pd.DataFrame) else ()
        own = config if has_column(config.series, names) else dataclasses.replace(config, series="")
        table = given_table(chunk, own, first_row=row)
        yield table
        row += len(table.frame)


def _chunks(given: object) -> Iterator[object]:
    """What was given, or each of the rows and chunks in it, as what `given_table` takes."""
    if isinstance(given, pd.DataFrame | pd.Series | np.ndarray):
        yield given
    elif is_arrow(given):
        yield arrow_frame(given)
    elif isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise DataError(MEMORY, f"is of type {type(given).__name__}", FORMS)
    else:
        yield from map(_chunk, given)


def _chunk(one: object) -> object:
    """A single row as a table of one row; a table as it is."""
    if isinstance(one, pd.DataFrame):
        return one
    if is_arrow(one):
        return arrow_frame(one)
    if isinstance(one, pd.Series):
        return one.to_frame().T
    if isinstance(one, Mapping):
        return pd.DataFrame([dict(one)])
    if isinstance(one, str | bytes):
        raise DataError(MEMORY, f"holds {type(one).__name__}", FORMS)
    try:
        array = np.asarray(one)
    except ValueError:
        raise DataError(MEMORY, f"holds {type(one).__name__}, and no row of numbers", FORMS) from None
    return array if array.ndim > 1 else array.reshape(1, -1)
