"""Series that Python users give in place of files: frames, columns, arrays, or several of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnapps.data.given import MEMORY, given_splits
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import join_tables, require_same_columns, share_levels
from rnnapps.data.series.series import Series
from rnnapps.data.series.table_file import read_table
from rnnapps.data.series.table_frame import Table, frame_table, require_numbers
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["arrow_frame", "given_series", "given_series_of_splits", "given_table", "is_arrow"]

CHANNEL = "value"
"""What the only channel is called, where nothing gives it a name."""

FORMS = (
    "give a pandas frame or series, an array (rows, channels), a frame of polars or Arrow, a path, or several by name"
)


def given_series(
    given: object, config: SeriesDataConfig, *, whole: str = MEMORY, known: Mapping[str, str] | None = None
) -> list[Series]:
    """The series of what was given, read as tables of files are.

    Args:
        given: one frame, column, array or path; or a mapping name -> one, or a list of them, each a series of its own.
            An array `(rows, channels)`, or `(rows,)` of one channel, has the channels of the configuration, in their
            order, or else `channel_0`, `channel_1`...
        config: what columns mean, and what to do with irregular times and duplicates.
        whole: what to call all that was given, in errors.
        known: how the cells of the training data were written, see `Series.rules`.

    Raises:
        DataError: it is something else, or a cell is not what its column needs; with row and column.
    """
    return join_tables(_tables(given, config, whole), config, known)


def given_series_of_splits(given: object, config: SeriesDataConfig) -> dict[str, list[Series]]:
    """The series of each split: of `train` alone, unless a mapping gives the splits apart.

    Args:
        given: as for `given_series`; or a mapping of that with the keys `train`, `validation` and `test`.
        config: as for `given_series`.

    Raises:
        DataError: as for `given_series`; or the splits differ in their columns.
    """
    splits = given_splits(given)
    apart = splits["train"] is not given
    found = {
        name: given_series(one, config, whole=f"{MEMORY}[{name!r}]" if apart else MEMORY)
        for name, one in splits.items()
    }
    every = [series for own in found.values() for series in own]
    require_same_columns(every)
    shared = iter(share_levels(every))
    return {name: [next(shared) for _ in own] for name, own in found.items()}


def given_table(one: object, config: SeriesDataConfig, *, whole: str = MEMORY, first_row: int = 0) -> Table:
    """One frame, column, array or path as a table.

    Args:
        one: see `given_series`.
        config: what columns mean.
        whole: what to call it in errors.
        first_row: number of its first row, in errors.

    Raises:
        DataError: as for `given_series`.
    """
    if isinstance(one, str | Path):
        return read_table(one, config)
    frame = _frame(one, config.channels, whole)

    def place(row: int) -> str:
        return f"row {first_row + row} (counted from 0)"

    return require_numbers(frame_table(frame, config, path=whole, place=place))


def _tables(given: object, config: SeriesDataConfig, whole: str) -> Iterator[tuple[str, Table]]:
    """(name, table) of each, the name being that of its only series."""
    if not isinstance(given, Mapping) and not _is_several(given):
        yield MEMORY, given_table(given, config, whole=whole)  # the same name in all splits
        return
    named = given.items() if isinstance(given, Mapping) else enumerate(given)  # type: ignore[arg-type]
    if not len(given):  # type: ignore[arg-type]
        raise DataError(whole, "holds no series", FORMS)
    for key, one in named:
        if isinstance(one, Mapping):
            raise DataError(whole, f"holds a mapping under {key!r}", FORMS)
        yield str(key), given_table(one, config, whole=f"{whole}[{key!r}]")


def _is_several(given: object) -> bool:
    """Whether a list holds several series, rather than numbers or rows of numbers."""
    kinds = (pd.DataFrame, pd.Series, np.ndarray, str, Path, Mapping)
    if not isinstance(given, list | tuple):
        return False
    return not given or any(isinstance(one, kinds) or is_arrow(one) for one in given)


def is_arrow(one: object) -> bool:
    """Whether it is a frame or a column of polars, Arrow, DuckDB or another library that gives streams of Arrow."""
    return hasattr(one, "__arrow_c_stream__") and not isinstance(one, pd.DataFrame | pd.Series)


def arrow_frame(one: Any, *, only: str = CHANNEL) -> pd.DataFrame:
    """What such a library holds as a frame of pandas; a column of Arrow, which has no name, is called `only`."""
    import pyarrow as pa

    table = {only: one} if isinstance(one, pa.ChunkedArray) else one
    frame: pd.DataFrame = pa.table(table.to_frame() if hasattr(table, "to_frame") else table).to_pandas()
    return frame


def _frame(one: object, channels: tuple[str, ...], whole: str) -> pd.DataFrame:
    """A frame, or what is given instead of it as one."""
    if isinstance(one, pd.DataFrame):
        return one
    only = channels[0] if len(channels) == 1 else CHANNEL
    if is_arrow(one):
        return arrow_frame(one, only=only)
    if isinstance(one, pd.Series):
        return one.to_frame(only if one.name is None else one.name)
    array = _numbers(one, whole)
    width = array.shape[1]
    names = channels if len(channels) == width else [f"channel_{number}" for number in range(width)]
    return pd.DataFrame(array, columns=list(names))


def _numbers(one: object, whole: str) -> Array:
    """An array of numbers `(rows, channels)`; None, and what an array masks, is missing."""
    if isinstance(one, np.ma.MaskedArray):
        one = np.ma.filled(one.astype(np.float64), np.nan)
    try:
        array = np.asarray(one)
        array = array.astype(np.float64) if array.dtype == object and array.ndim else array
    except (ValueError, TypeError):
        raise DataError(whole, f"is of type {type(one).__name__}, and no array of numbers", FORMS) from None
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiub":
        kind = f"an array of {array.dtype}, {array.shape}" if array.ndim else f"of type {type(one).__name__}"
        raise DataError(whole, f"is {kind}", FORMS)
    return array[:, None] if array.ndim == 1 else array
