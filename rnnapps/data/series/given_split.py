"""The split of series whose splits may have been given apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.regular import is_next
from rnnapps.data.series.series import Series, SeriesPart, SplitSeries, split_in_time
from rnnapps.errors import ConfigError

__all__ = ["split_given"]

PLACES = ("validation_from", "test_from", "until", "test_rows")


def split_given(given: Mapping[str, Sequence[Series]], config: SeriesDataConfig) -> SplitSeries:
    """Splits series in time, where their splits are not given.

    Without `validation`, the last rows of `train` validate, as they do for a source; without `test` beside
    `validation` there are no test rows. Rows that go on where those of an earlier split ended, in time, look back on
    them; others begin a series of their own.

    Args:
        given: the series of each split: of `train`, and perhaps of `validation` and `test`.
        config: how `train` is split.

    Raises:
        DataError: see `split_in_time`.
        ConfigError: dates or numbers of rows split what was given apart.
    """
    if len(given) == 1:
        return split_in_time(given["train"], config)
    placed = [name for name in PLACES if getattr(config, name)]
    if placed:
        raise ConfigError(f"data.{placed[0]} splits one source in time; leave it out where the splits are given apart")
    if "validation" in given:
        train = [SeriesPart(series, 0, len(series)) for series in given["train"]]
        validation: list[SeriesPart] = []
    else:
        train, validation, _ = split_in_time(given["train"], dataclasses.replace(config, test_fraction=0.0))
    validation += _going_on(train, given.get("validation", ()))
    return SplitSeries(train, validation, _going_on([*train, *validation], given.get("test", ())))


def _going_on(before: Sequence[SeriesPart], series: Sequence[Series]) -> list[SeriesPart]:
    """A part for each series, behind the rows of the same name that it goes on from."""
    known = {part.series.name: part.series for part in before}  # the last part of a name has the longest series
    parts = []
    for own in series:
        earlier = known.get(own.name)
        if earlier is not None and _follows(earlier, own):
            joined = _joined(earlier, own)
            parts.append(SeriesPart(joined, len(earlier), len(joined)))
        else:
            parts.append(SeriesPart(own, 0, len(own)))
    return parts


def _follows(earlier: Series, later: Series) -> bool:
    """Whether the rows of a series are the next ones in time; of rows without a fixed distance, any later ones."""
    if earlier.times is None or later.times is None or earlier.timezone != later.timezone:
        return False
    if earlier.frequency is None and later.frequency is None:
        return bool(later.times[0] >= earlier.times[-1])
    if earlier.frequency is None or later.frequency not in (None, earlier.frequency):
        return False
    return is_next(earlier.times[-1], later.times[0], earlier.frequency, earlier.timezone)


def _joined(earlier: Series, later: Series) -> Series:
    """The rows of both as one series."""
    assert earlier.times is not None and later.times is not None
    tables: dict[str, Any] = {
        name: np.concatenate([getattr(earlier, name), getattr(later, name)])
        for name in ("times", "values", "known", "categories")
    }
    labels = None
    if earlier.labels is not None or later.labels is not None:
        every = (each.labels if each.labels is not None else np.full(len(each), -1) for each in (earlier, later))
        labels = np.concatenate(list(every)).astype(np.int32)
    return dataclasses.replace(later, frequency=earlier.frequency, labels=labels, **tables)
