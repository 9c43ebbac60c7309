"""The series of a forecaster, read and split in time, as the verbs expect them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.contract.pipeline import Splits
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SeriesPart, SplitSeries, split_in_time
from rnnapps.errors import DataError
from rnnapps.tasks.forecasting.data.builtin import builtin_series, is_builtin

__all__ = ["SeriesSplits", "read_source", "split_source"]


@dataclass(frozen=True)
class SeriesSplits(Splits):
    """Splits of series; the data sets of the base hold their rows, for fingerprints.

    Attributes:
        parts: the parts of the series, from which windows are gathered.
    """

    parts: SplitSeries


def split_source(config: SeriesDataConfig) -> SeriesSplits:
    """Reads the source, tells what was noticed, and splits in time.

    Raises:
        DataError: see `read_series`.
    """
    series = read_source(config)
    for each in series:
        for note in each.notes:
            print(f"{each.source}, series {each.name!r}: {note}", file=sys.stderr)
    parts = split_in_time(series, config)
    test = _rows(parts.test) if parts.test else None
    return SeriesSplits(_rows(parts.train), _rows(parts.validation), test, config.source, parts)


def read_source(config: SeriesDataConfig) -> list[Series]:
    """Built-in series, or those of files, in equal steps of time.

    Raises:
        DataError: see `read_series`; or irregular times are to be kept, which no forecast can continue.
    """
    if config.irregular == "keep":
        remedy = "give --data.irregular regularise or refuse"
        raise DataError(config.source, "a forecast continues equally spaced rows", remedy)
    return builtin_series(config.source) if is_builtin(config.source) else read_series(config)


def _rows(parts: Sequence[SeriesPart]) -> tf.data.Dataset:
    """The parts' own rows, a series an element."""
    first = parts[0].series
    signature = {
        "values": tf.TensorSpec((None, len(first.channels)), tf.float32),
        "known": tf.TensorSpec((None, len(first.known_names)), tf.float32),
        "times": tf.TensorSpec((None,), tf.int64),
    }

    def rows() -> Iterator[dict[str, Any]]:
        for part in parts:
            own = part.rows()
            times = np.zeros(0, np.int64) if own.times is None else own.times.astype(np.int64)
            yield {"values": own.values, "known": own.known, "times": times}

    return tf.data.Dataset.from_generator(rows, output_signature=signature)
