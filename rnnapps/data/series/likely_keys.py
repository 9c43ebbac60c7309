"""Columns that may name the series of a row, where several rows have one time."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import pandas as pd

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.table_roles import JOIN, NO_TIME, TIME_NAMES, asked_columns, column_parts
from rnnapps.data.series.time_texts import cell_texts

__all__ = ["likely_keys"]

MOST_COLUMNS = 3
MOST_TRIED = 2000
"""Sets of columns; a table of a hundred columns of codes has 160,000 of three."""
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
    asked = asked_columns(config, names)
    free = [name for name in names if name not in asked]
    clock = config.time or next((name for name in free if name.lower() in TIME_NAMES), next(iter(times), ""))
    if config.series or not clock or clock == NO_TIME or len(sample) < 2 * LEAST_ROWS:
        return ""
    own = list(column_parts(clock, names))
    table = sample[own].apply(cell_texts)
    if not (repeated := table.duplicated(keep=False)).any():
        return ""
    words = [name for name in free if name in texts and name not in (*own, *times)]
    codes = [name for name in free if name not in (*texts, *own, *times)]
    usable = {name: cells for name in (*words, *codes) if _repeats(cells := cell_texts(sample[name]))}
    table = table.assign(**usable)[repeated]
    if table.duplicated().any():
        return ""
    sets = (keys for size in range(1, MOST_COLUMNS + 1) for keys in itertools.combinations(usable, size))
    for keys in itertools.islice(sets, MOST_TRIED):
        if not table[[*own, *keys]].duplicated().any():
            return JOIN.join(sorted(keys, key=names.index))
    return ""


def _repeats(column: pd.Series) -> bool:
    """Whether each value of a column occurs several times."""
    return bool(column.value_counts(dropna=False).min() >= LEAST_ROWS)
