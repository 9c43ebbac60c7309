"""Columns that may name the series of a row, where several rows have one time."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import pandas as pd

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.table_roles import JOIN, NO_TIME, TIME_NAMES, column_parts

__all__ = ["likely_keys"]

MOST_COLUMNS = 3
LEAST_ROWS = 3
"""A name of a series occurs in so many rows at least."""


def likely_keys(sample: pd.DataFrame, config: SeriesDataConfig, *, texts: Collection[str], times: Sequence[str]) -> str:
    """The fewest columns that tell rows of one time apart, as `--data.series` takes them: `store+family`; "" for none.

    Args:
        sample: the first rows.
        config: what the user says of the columns.
        texts: columns that hold text.
        times: columns that hold times.
    """
    names = list(sample.columns)
    asked = {config.label, *config.channels, *config.known, *config.categorical, *config.static}
    free = [name for name in names if name not in asked]
    clock = config.time or next((name for name in free if name.lower() in TIME_NAMES), next(iter(times), ""))
    if config.series or not clock or clock == NO_TIME:
        return ""
    own = list(column_parts(clock, names))
    if not sample[own].duplicated().any():
        return ""
    words = [name for name in free if name in texts and name not in (*own, *times)]
    codes = [name for name in free if name not in (*texts, *own, *times) and _repeats(sample[name])]
    for size in range(1, MOST_COLUMNS + 1):
        for keys in itertools.combinations([*words, *codes], size):
            if not sample[[*own, *keys]].duplicated().any() and all(_repeats(sample[key]) for key in keys):
                return JOIN.join(sorted(keys, key=names.index))
    return ""


def _repeats(column: pd.Series) -> bool:
    """Whether each value of a column occurs several times."""
    return bool(column.value_counts(dropna=False).min() >= LEAST_ROWS)
