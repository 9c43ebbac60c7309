"""The series of a forecaster, read and split in time, as the verbs expect them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.digest import digest_examples
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.given_series import given_series, given_series_of_splits
from rnnapps.data.series.given_split import split_given
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SeriesPart, SplitSeries
from rnnapps.data.series.split_notes import tell_notes
from rnnapps.errors import DataError
from rnnapps.tasks.forecasting.data.builtin import builtin_series, is_builtin
from rnnapps.types import Array

__all__ = ["SeriesSplits", "read_source", "split_source"]


@dataclass(frozen=True)
class SeriesSplits:
    """Series, split in time.

    Attributes:
        parts: the parts of the series, from which windows are gathered.
        source: what a person would call the data.
        skipped: files of a folder that could not be read.
    """

    parts: SplitSeries
    source: str
    skipped: tuple[BadExample, ...] = ()

    def digest(self) -> str:
        """A fingerprint of the training and validation rows."""
        return digest_examples(_raw_rows(self.parts.train), _raw_rows(self.parts.validation))


def split_source(config: SeriesDataConfig, given: object = None) -> SeriesSplits:
    """Reads the source, tells what was noticed, and splits in time.

    Args:
        config: where the series come from, and how they are split.
        given: series from Python instead of those of the source, see `given_series_of_splits`.

    Raises:
        DataError: see `read_series`.
    """
    good = GoodExamples(config.source, config, noun="tables")
    if given is None:
        series = {"train": read_source(config, good=good)}
    else:
        _require_equal_steps(config)
        series = given_series_of_splits(given, config)
    for part in series.values():
        tell_notes(part, config)
    skipped = good.finish()
    return SeriesSplits(split_given(series, config), config.source, skipped)


def read_source(
    config: SeriesDataConfig,
    given: object = None,
    known: Mapping[str, str] | None = None,
    *,
    good: GoodExamples | None = None,
) -> list[Series]:
    """Built-in series, those of files, or those given from Python, in equal steps of time.

    Args:
        config: how they are read.
        given: see `given_series`.
        known: how the cells of the training data were written, see `Series.rules`.
        good: see `read_series`.

    Raises:
        DataError: see `read_series`; or irregular times are to be kept, which no forecast can continue.
    """
    _require_equal_steps(config)
    if given is not None:
        return given_series(given, config, known=known)
    return builtin_series(config.source) if is_builtin(config.source) else read_series(config, known, good)


def _require_equal_steps(config: SeriesDataConfig) -> None:
    """Raises DataError where irregular times are to be kept."""
    if config.irregular == "keep":
        remedy = "give --data.irregular regularise or refuse"
        raise DataError(config.source, "a forecast continues equally spaced rows", remedy)


def _raw_rows(parts: Sequence[SeriesPart]) -> Iterator[dict[str, Array]]:
    """The own rows of each part."""
    for part in parts:
        own = part.rows()
        times = np.zeros(0, np.int64) if own.times is None else own.times.view(np.int64)
        yield {"values": own.values, "known": own.known, "times": times}
