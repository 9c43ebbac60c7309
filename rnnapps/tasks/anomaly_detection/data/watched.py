"""The rows of a detector: read, labelled and split in time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.digest import digest_examples
from rnnapps.data.given import given_splits
from rnnapps.data.series.given_series import given_series, given_series_of_splits
from rnnapps.data.series.given_split import split_given
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SeriesPart, SplitSeries, split_in_time
from rnnapps.data.series.split_notes import tell_notes
from rnnapps.data.tables.database import is_database
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.anomaly_detection.data.array_files import ArrayFile, array_files
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.known_faults import known_left_out
from rnnapps.tasks.anomaly_detection.data.labels import mark, read_stretches
from rnnapps.types import Array

__all__ = ["WatchedSeries", "read_tables", "read_watched", "series_config"]

BUILTIN = "builtin"
BUILTIN_ROWS = {"train": 12_000, "validation": 3_000, "test": 10_000}
BUILTIN_SEED = 20_240_101


@dataclasses.dataclass(frozen=True)
class WatchedSeries:
    """Series, split.

    Attributes:
        parts: training, validation and test parts.
        kinds: names of the kinds of faults that labels number from 1; empty when labels are 0 and 1 alone.
        source: what a person would call the data.
        skipped: files of a folder that could not be read.
    """

    parts: SplitSeries
    kinds: tuple[str, ...]
    source: str
    skipped: tuple[BadExample, ...] = ()

    def digest(self) -> str:
        """A fingerprint of the training and validation rows."""
        return digest_examples(_raw_rows(self.parts.train), _raw_rows(self.parts.validation))


def read_watched(config: AnomalyDataConfig, given: object = None) -> WatchedSeries:
    """Reads the source, labels it and splits it in time.

    Args:
        config: where the rows come from, what they mean and how they are split.
        given: series from Python instead of those of the source, see `given_series_of_splits`.

    Raises:
        DataError: a source is missing or not what was expected, too short, or its channels differ.
    """
    kinds: tuple[str, ...] = ()
    title, good = config.source, GoodExamples(config.source, config, noun="tables")
    if given is not None:
        parts = _given_parts(given, config)
    elif config.source == BUILTIN:
        parts, kinds, title = _simulated(), _fault_names(), "a simulated machine (synthetic)"
    else:
        parts = _read_parts(config, good)
    if config.test is not None:
        others = _labelled(read_tables(dataclasses.replace(config, source=config.test), good=good), config)
        parts = parts._replace(test=[SeriesPart(series, 0, len(series)) for series in others])
    skipped = good.finish()
    if config.labels:
        _check_names(config, parts)
    parts = parts._replace(validation=[part for part in map(_until(config), parts.validation) if len(part)])
    parts = parts._replace(test=[known_left_out(part, config.label_delay_days) for part in parts.test])
    _check_channels(config, parts)
    return WatchedSeries(parts, kinds, title, skipped)


def _raw_rows(parts: Sequence[SeriesPart]) -> Iterator[dict[str, str | Array]]:
    """The own rows of each part."""
    for part in parts:
        own = part.rows()
        labels = np.full(len(own), -1, np.int32) if own.labels is None else own.labels
        yield {"series": own.name, "values": own.values, "labels": labels}


def _simulated() -> SplitSeries:
    """A healthy machine for training and validation, and one with faults, weeks later, for the test."""
    from rnnapps.tasks.anomaly_detection.data.machine import (
        FAULTS,
        ROW_SECONDS,
        SENSORS,
        simulate,
        simulate_with_faults,
    )

    generator = np.random.default_rng(BUILTIN_SEED)
    healthy = simulate(BUILTIN_ROWS["train"] + BUILTIN_ROWS["validation"], generator)
    faulty, faults = simulate_with_faults(BUILTIN_ROWS["test"], generator)
    labels = np.zeros(len(faulty), np.int32)
    for fault in faults:
        labels[fault.first : fault.last + 1] = FAULTS.index(fault.kind) + 1

    def series(values: Array, marks: Array, day: str) -> Series:
        times = np.datetime64(day, "ns") + np.arange(len(values)) * np.timedelta64(ROW_SECONDS, "s")
        return Series("machine", times, values, SENSORS, labels=marks, source=BUILTIN)

    normal = series(healthy, np.zeros(len(healthy), np.int32), "2024-01-01")
    first = BUILTIN_ROWS["train"]
    tested = series(faulty, labels, "2024-02-01")
    return SplitSeries(
        [SeriesPart(normal, 0, first)],
        [SeriesPart(normal, first, len(normal))],
        [SeriesPart(tested, 0, len(tested))],
    )


def _fault_names() -> tuple[str, ...]:
    from rnnapps.tasks.anomaly_detection.data.machine import FAULTS

    return FAULTS


def _read_parts(config: AnomalyDataConfig, good: GoodExamples) -> SplitSeries:
    """The parts of archives, which hold their own split, or of tables, which are split in time."""
    folder = None if is_database(config.source) else unpacked_source(config.source)
    files = array_files(folder) if folder is not None and folder.is_dir() else []
    if files:
        return _array_parts(files, config, good)
    series = read_tables(config, good=good)
    tell_notes(series, config)
    return split_in_time(_labelled(series, config), config)


def _given_parts(given: object, config: AnomalyDataConfig) -> SplitSeries:
    """The parts of series from Python."""
    if config.test is not None and "test" in given_splits(given):
        raise ConfigError(f"data.test {config.test} and the split `test` both give test rows; give one of them")
    series = given_series_of_splits(given, series_config(config))
    for part in series.values():
        tell_notes(part, config)
    return split_given({name: _labelled(own, config) for name, own in series.items()}, config)


def read_tables(
    config: AnomalyDataConfig,
    given: object = None,
    known: Mapping[str, str] | None = None,
    *,
    good: GoodExamples | None = None,
) -> list[Series]:
    """Tables of series, or of events, which have no fixed distance; of files, or given from Python."""
    config = series_config(config)
    return read_series(config, known, good) if given is None else given_series(given, config, known=known)


def series_config(config: AnomalyDataConfig) -> AnomalyDataConfig:
    """The configuration that reads each entity's events as a series."""
    if not config.entity:
        return config
    return dataclasses.replace(config, series=config.entity, entity="", irregular="keep", duplicates="keep")


def _labelled(series: list[Series], config: AnomalyDataConfig) -> list[Series]:
    """The series with the labels of the file beside them, where there is one."""
    if not config.labels:
        return series
    stretches = read_stretches(config.labels)
    return [dataclasses.replace(own, labels=mark(own, stretches.get(own.name, ()), config.labels)) for own in series]


def _array_parts(files: Sequence[ArrayFile], config: AnomalyDataConfig, good: GoodExamples) -> SplitSeries:
    """Each file of arrays is one series: `train`, whose last rows validate, and `test`.

    Channels are known by their numbers; those that only other files have are missing.
    """
    stretches = read_stretches(config.labels) if config.labels else {}
    train, validation, test = [], [], []
    loaded = list(good.read(partial(_with_arrays, file) for file in files))
    if not loaded:
        good.finish()
    width = max(arrays["train"].shape[1] for _, arrays in loaded)
    for file, own in loaded:
        arrays = {name: _widened(array, width) for name, array in own.items()}
        series = _numbered(file.name, arrays["train"], str(file.path))
        first = round(len(series) * (1 - config.validation_fraction))
        train.append(SeriesPart(series, 0, first))
        validation.append(SeriesPart(series, first, len(series)))
        if "test" in arrays:
            tested = _numbered(file.name, arrays["test"], str(file.path))
            if config.labels:
                labels = mark(tested, stretches.get(file.name, ()), config.labels)
                tested = dataclasses.replace(tested, labels=labels)
            test.append(SeriesPart(tested, 0, len(tested)))
    return SplitSeries(*([part for part in parts if len(part)] for parts in (train, validation, test)))


def _with_arrays(file: ArrayFile) -> tuple[ArrayFile, dict[str, Array]]:
    """A file and its arrays."""
    return file, file.read()


def _widened(array: Array, width: int) -> Array:
    """As many channels as the widest file has; those that are not there are missing."""
    return np.pad(array, ((0, 0), (0, max(width - array.shape[1], 0))), constant_values=np.nan)


def _numbered(name: str, values: Array, source: str) -> Series:
    """A series without times whose channels are called by their numbers; infinite values count as missing."""
    channels = tuple(f"channel_{number}" for number in range(values.shape[1]))
    return Series(name, None, np.where(np.isfinite(values), values, np.nan), channels, source=source)


def _until(config: AnomalyDataConfig) -> Callable[[SeriesPart], SeriesPart]:
    """Cuts a validation part at `validation_until`."""

    def cut(part: SeriesPart) -> SeriesPart:
        if not config.validation_until or part.series.times is None:
            return part
        stop = int(np.searchsorted(part.series.times, np.datetime64(config.validation_until, "ns")))
        return dataclasses.replace(part, stop=max(min(stop, part.stop), part.start))

    return cut


def _check_names(config: AnomalyDataConfig, parts: SplitSeries) -> None:
    """Raises DataError, where the labels are those of no series at all."""
    names = {part.series.name for split in parts for part in split}
    if not names & set(read_stretches(config.labels)):
        problem = f"labels no series of {config.source}; its series are {', '.join(sorted(names)[:5])}..."
        raise DataError(config.labels, problem, "name them alike")


def _check_channels(config: AnomalyDataConfig, parts: SplitSeries) -> None:
    """Raises DataError, unless all parts have the same channels, the targets among them, and none is empty."""
    channels = parts.train[0].series.channels if parts.train else ()
    for split in parts:
        for part in split:
            if part.series.channels != channels:
                problem = f"has {len(part.series.channels)} channels, other series {len(channels)}, or other names"
                raise DataError(part.series.source, problem, "keep series of other channels in another folder")
    for name, split in (("training", parts.train), ("validation", parts.validation)):
        if not split:
            raise DataError(config.source, f"leaves no row for {name}", "use longer series or another split")
    unknown = [name for name in config.targets if name not in channels]
    if unknown:
        listed = ", ".join(channels[:8])
        raise DataError(config.source, f"has no channel {unknown[0]!r} for data.targets; it has {listed}")
