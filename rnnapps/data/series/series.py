"""Series: rows in the order of time, with what is known of each row; and their split in time.

Nothing here fills, scales or encodes: a missing number is NaN, a category is the number of its level. What is learned
from data (scales, levels a model knows) is learned from training parts alone, see `SeriesPart.rows`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.frequency import Frequency
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["Series", "SeriesPart", "SplitSeries", "deciding_frequencies", "require_channels", "split_in_time"]

FEW = 10
"""A series of fewer rows does not decide how longer ones are split: its frequency may be unknown, or chance."""


@dataclass(frozen=True)
class Series:
    """One series; several of one source have the same channels, covariates and static features, by name and order.

    Attributes:
        name: what its source calls it.
        times: UTC, datetime64[ns] `(rows,)`, strictly ascending (not decreasing where irregular rows are kept); None
            when the source has no time.
        values: float64 `(rows, channels)`, NaN where missing.
        channels: names of the channels.
        known: float64 `(rows, covariates)`, numbers known ahead of time, NaN where missing.
        known_names: their names.
        categories: int32 `(rows, categorical)`, number of the level in `category_levels`, -1 where missing.
        category_names: names of the categorical columns.
        category_levels: the levels of each categorical column, the same tuple in all series of a source.
        static: float64 `(features,)`.
        static_names: their names.
        static_texts: the static features that are text.
        static_text_names: their names.
        labels: int32 `(rows,)`, -1 where missing; None without a label column.
        frequency: distance of the rows; None when there is no time or irregular rows are kept.
        timezone: time zone whose calendar the series follows.
        source: file or name the rows come from.
        notes: what was noticed while reading, for people.
        rules: how the cells of its source were found to be written, where no setting says so, for reading others alike:
            columns `time` and `series`, `time_format`, `separator`, `decimal`, and `frequency`; and its `format`, where
            that is not CSV.
    """

    name: str
    times: Array | None
    values: Array
    channels: tuple[str, ...]
    known: Array = field(default_factory=lambda: np.zeros((0, 0)))
    known_names: tuple[str, ...] = ()
    categories: Array = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    category_names: tuple[str, ...] = ()
    category_levels: tuple[tuple[str, ...], ...] = ()
    static: Array = field(default_factory=lambda: np.zeros(0))
    static_names: tuple[str, ...] = ()
    static_texts: tuple[str, ...] = ()
    static_text_names: tuple[str, ...] = ()
    labels: Array | None = None
    frequency: Frequency | None = None
    timezone: str = "UTC"
    source: str = ""
    notes: tuple[str, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Gives absent tables their number of rows."""
        rows = len(self.values)
        for name, dtype in (("known", np.float64), ("categories", np.int32)):
            if not getattr(self, name).size and len(getattr(self, name)) != rows:
                object.__setattr__(self, name, np.zeros((rows, 0), dtype))
        columns = {"times": self.times, "known": self.known, "categories": self.categories, "labels": self.labels}
        for name, column in columns.items():
            if column is not None and len(column) != rows:
                raise ValueError(f"series {self.name!r}: {len(column)} {name} for {rows} rows of values")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.values)

    def slice(self, start: int, stop: int) -> Series:
        """The rows from `start` to before `stop`, as views."""
        rows = slice(start, stop)
        return dataclasses.replace(
            self,
            times=None if self.times is None else self.times[rows],
            values=self.values[rows],
            known=self.known[rows],
            categories=self.categories[rows],
            labels=None if self.labels is None else self.labels[rows],
        )


@dataclass(frozen=True)
class SeriesPart:
    """A stretch of a series: rows from `start` to before `stop` are its own; a window's history may lie before them.

    Attributes:
        series: the whole series.
        start: first row of the part.
        stop: row behind its last.
    """

    series: Series
    start: int
    stop: int

    def __len__(self) -> int:
        """Number of rows of its own."""
        return max(self.stop - self.start, 0)

    def rows(self) -> Series:
        """The part's own rows: all that may be looked at to fit anything on a training part."""
        return self.series.slice(self.start, self.stop)


class SplitSeries(NamedTuple):
    """All series, split in time.

    Attributes:
        train: a part for each series that has training rows; it starts at row 0.
        validation: the same, the rows after them.
        test: the same, the rows after those; empty when no time is set apart for a test.
    """

    train: list[SeriesPart]
    validation: list[SeriesPart]
    test: list[SeriesPart]

    def with_validation(self) -> SplitSeries:
        """The same with the validation rows at the end of the training rows of their series."""
        behind = {(id(part.series), part.start): part for part in self.validation}
        train = []
        for part in self.train:
            more = behind.pop((id(part.series), part.stop), None)
            train.append(part if more is None else SeriesPart(part.series, part.start, more.stop))
        return self._replace(train=[*train, *behind.values()])

    def series(self) -> Iterator[Series]:
        """The series of all parts."""
        return (part.series for parts in self for part in parts)


def require_channels(series: Iterable[Series], channels: Sequence[str]) -> None:
    """Raises DataError unless all series have the channels that a model knows, in their order."""
    for one in series:
        if tuple(one.channels) != tuple(channels):
            problem = f"series {one.name!r} has the channels {', '.join(one.channels)}"
            raise DataError(one.source, problem, f"the model knows {', '.join(channels)}: name them by --data.channels")


def split_in_time(series: Sequence[Series], config: SeriesDataConfig) -> SplitSeries:
    """Splits series by time, never by window.

    Series that share their frequency, and short ones beside them, are split at the same moments, so that no training
    row of one is later than a test row of another; those without times, or of different frequencies, each at the same
    share of its rows, see `split_notes`. With `data.test_rows` each has its own last rows held out.

    Raises:
        DataError: no series has a row for training, or none for validation; or one has too few rows to hold any out.
    """
    bounds = [_bounds(each, config, moments) for moments in [_moments(series, config)] for each in series]
    _require_rows(series, bounds, config)
    parts: list[list[SeriesPart]] = [
        [SeriesPart(each, low[number], low[number + 1]) for each, low in zip(series, bounds, strict=True)]
        for number in range(3)
    ]
    train, validation, test = ([part for part in split if len(part)] for split in parts)
    source = series[0].source if series else config.source
    for name, split in (("training", train), ("validation", validation)):
        if not split:
            longest = max(map(len, series), default=0)
            problem = f"the split leaves no row for {name} (the longest of {len(series)} series has {longest:,} rows)"
            raise DataError(source, problem, "use longer series or another split (--data.validation_fraction ...)")
    return SplitSeries(train, validation, test)


def deciding_frequencies(series: Sequence[Series]) -> set[Frequency | None]:
    """The frequencies of those series that are long enough to show one; of all, where none is."""
    return {each.frequency for each in series if len(each) >= FEW} or {each.frequency for each in series}


def _moments(series: Sequence[Series], config: SeriesDataConfig) -> list[np.datetime64] | None:
    """The common moments at which validation and test begin and all ends; None: each series by its rows."""
    times = [each.times for each in series if each.times is not None]
    if config.validation_from or config.until:
        if len(times) < len(series):
            raise DataError(config.source, "has no times to split by", "give fractions instead of --data.test_from")
        if config.validation_from:
            texts = (config.validation_from, config.test_from, config.until)
            return [_utc(text, series[0].timezone) if text else _after_all(times) for text in texts]
    if config.test_rows or len(times) < len(series) or len(deciding_frequencies(series)) > 1:
        return None
    end = _utc(config.until, series[0].timezone) if config.until else _after_all(times)
    every = np.sort(np.concatenate(times)) if len(times) > 1 else times[0]
    every = every[: np.searchsorted(every, end)]
    if not len(every):
        return [end, end, end]
    shares = (1 - config.validation_fraction - config.test_fraction, 1 - config.test_fraction)
    return [*(_at_share(every, share, end) for share in shares), end]


def _at_share(times: Array, share: float, end: np.datetime64) -> np.datetime64:
    """The time behind a share of all times; `end` behind the last."""
    place = round(len(times) * share)
    return times[place] if place < len(times) else end


def _bounds(series: Series, config: SeriesDataConfig, moments: list[np.datetime64] | None) -> list[int]:
    """Rows at which training, validation and test begin, and all ends."""
    if moments is not None and series.times is not None:
        return [0, *(int(place) for place in np.searchsorted(series.times, moments))]
    rows = len(series)
    if config.until and series.times is not None:
        rows = int(np.searchsorted(series.times, _utc(config.until, series.timezone)))
    if config.test_rows:
        validation, test = config.held_out_rows
        return [0, rows - validation - test, rows - test, rows]
    first = round(rows * (1 - config.validation_fraction - config.test_fraction))
    return [0, first, round(rows * (1 - config.test_fraction)), rows]


def _require_rows(series: Sequence[Series], bounds: Sequence[Sequence[int]], config: SeriesDataConfig) -> None:
    """Raises DataError where holding out a number of rows leaves a series none to train on."""
    short = [(own, low[-1]) for own, low in zip(series, bounds, strict=True) if low[1] <= 0]
    if not config.test_rows or not short:
        return
    (first, rows), more = short[0], f", and {len(short) - 1:,} more are too short" if len(short) > 1 else ""
    validation, test = config.held_out_rows
    held = f"{validation:,} + {test:,} (validation and test)"
    problem = f"series {first.name!r} has {rows:,} rows, of which {held} are to be held out{more}"
    remedy = "lower --data.test_rows and --data.validation_rows, or take such series out of the source"
    raise DataError(first.source, problem, remedy)


def _after_all(times: Sequence[Array]) -> np.datetime64:
    """The first moment behind all times."""
    latest: np.datetime64 = max((each[-1] for each in times if len(each)), default=np.datetime64(0, "ns"))
    return latest + np.timedelta64(1, "ns")


def _utc(text: str, timezone: str) -> np.datetime64:
    """A configured moment, in the series's time zone unless it names its own."""
    import datetime
    import zoneinfo

    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zoneinfo.ZoneInfo(timezone))
    return np.datetime64(moment.astimezone(datetime.UTC).replace(tzinfo=None), "ns")
