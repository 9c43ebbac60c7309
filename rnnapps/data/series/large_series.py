"""Series of a table that is larger than memory: read in pieces, kept on disk, and used from there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnnapps.data.digest import digest_files
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.fitted_frequency import SAMPLE, detect_frequency
from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.large_rows import AT_ONCE, RowWriter, group_rows, sort_levels
from rnnapps.data.series.series import Series
from rnnapps.data.series.table_file import LargeTable, large_table, may_be_read_in_pieces
from rnnapps.data.series.table_frame import Table
from rnnapps.data.series.table_roles import Roles
from rnnapps.data.series.table_series import found_rules, series_notes, timed, with_format
from rnnapps.data.series.timestamps import parse_times, to_local
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.data.stored.open_files import allow_open_files
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["SeriesStore"]

FORMAT = "1"
"""Changes when the same table would be kept otherwise."""

ARRAYS_OF_A_FILE = 8
"""Values, covariates, categories, labels, times, rows and ends, each a file that stays open; and the table itself."""

KNOWN = "table.json"
SPLITS = {"validation_fraction", "test_fraction", "validation_from", "test_from", "until", "source", "season_steps"} | {
    *("test_rows", "validation_rows", "second_season_steps"),
}
"""Settings that decide nothing of how a table is read, beside those of all data."""


class SeriesStore:
    """Keeps the rows of CSV and Parquet files on disk. Of times, one series after the other is looked at in memory.

    Args:
        config: what the user says of the source.
        size: bytes of all its files.
    """

    def __init__(self, config: SeriesDataConfig, size: int) -> None:
        self.config, self.size, self.is_told = config, size, False
        self.kept = StoredFolders("series", config.cache_megabytes)

    @classmethod
    def of(cls, files: Sequence[Path], config: SeriesDataConfig) -> SeriesStore | None:
        """That of a source which is larger than memory may be; None for others.

        Raises:
            DataError: they are more files than the system lets a process have open.
        """
        large = [file for file in files if file.is_file() and may_be_read_in_pieces(file)]
        size = sum(file.stat().st_size for file in files if file.is_file())
        if not large or size <= config.memory_megabytes << 20:
            return None
        allow_open_files(config.source, len(large) * ARRAYS_OF_A_FILE)
        return cls(config, size)

    def read(self, path: Path, known: Mapping[str, str] | None, *, name: str) -> list[Series] | None:
        """The series of a file; None for one that must be read whole.

        Args:
            path: the file.
            known: how the cells of the training data were written, see `Series.rules`.
            name: of the only series, where no column names one.

        Raises:
            DataError: as for a table in memory.
        """
        if not path.is_file() or not may_be_read_in_pieces(path):
            return None
        settings = dataclasses.asdict(self.config)
        used = {key: value for key, value in settings.items() if key not in SPLITS and "megabytes" not in key}
        digest = hashlib.sha256(repr((FORMAT, name, sorted(used.items()), sorted((known or {}).items()))).encode())
        digest_files(digest, [path])
        try:
            folder = self.kept.open(digest.hexdigest(), partial(_write, path, self.config, known, name=name))
        except _ReadWholeError:
            return None
        if not self.is_told:
            self.is_told = not self.config.keeps_in_memory(self.config.source, self.size)  # which tells of it
        return list(_series(folder, path, self.config))


class _ReadWholeError(Exception):
    """The table cannot be read in pieces."""


def _write(path: Path, config: SeriesDataConfig, known: Mapping[str, str] | None, folder: Path, *, name: str) -> None:
    """Writes the rows, in one way after the other of reading numbers until one fits all of them."""
    table = large_table(path, config, known)
    if table is None:
        raise _ReadWholeError
    while True:
        try:
            return _write_rows(folder, table, config, known or {}, name=name)
        except (ValueError, OverflowError, pd.errors.ParserError) as error:
            table = table.another_way(error)


def _write_rows(
    folder: Path, table: LargeTable, config: SeriesDataConfig, known: Mapping[str, str], *, name: str
) -> None:
    """Writes the rows of all pieces, those of a series behind one another, and what is known of the table."""
    facts: dict[str, Any] = {}
    with RowWriter(folder, name) as rows:
        for piece in table.pieces():
            if not facts:
                config, told = with_format(piece, config, known)
                facts = {"rules": found_rules(piece, config), "told": told, "roles": dataclasses.asdict(piece.roles)}
            elif _columns(piece.roles) != _columns(Roles(**facts["roles"])):
                problem = f"{piece.place(0)}: the columns mean something else from here on"
                raise DataError(piece.path, problem, "name the roles of all columns, such as --data.channels '[a, b]'")
            rows.append(piece, _times(piece, config))
    group_rows(folder, rows.counts())
    facts |= {"levels": sort_levels(folder, rows.levels()), "names": list(rows.names), "aware": rows.aware}
    (folder / KNOWN).write_text(json.dumps(facts), encoding="utf-8")


def _columns(roles: Roles) -> list[Any]:
    """The columns of each role."""
    plain = dataclasses.replace(roles, notes=(), keys="")
    return [list(value) if isinstance(value, list | tuple) else value for value in dataclasses.astuple(plain)]


def _times(piece: Table, config: SeriesDataConfig) -> pd.DatetimeIndex | None:
    """The times of a piece, as they stand there or in UTC."""
    return parse_times(piece.frame[piece.roles.time], config, piece.path, piece.place) if piece.roles.time else None


def _series(folder: Path, path: Path, config: SeriesDataConfig) -> Iterator[Series]:
    """The series of an entry, in the order of their first rows."""
    try:
        facts = json.loads((folder / KNOWN).read_text(encoding="utf-8"))
        arrays = {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in folder.glob("*.npy")}
        kept: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in facts["roles"].items()}
        roles = Roles(**kept)
        ends = arrays["ends"].tolist()
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(folder, "what was kept here is damaged", "remove the folder and start again") from None
    shared = {
        "channels": roles.channels,
        "known_names": roles.known,
        "category_names": roles.categorical,
        "category_levels": tuple(map(tuple, facts["levels"])),
        "timezone": config.timezone,
        "source": str(path),
        "rules": facts["rules"],
        "notes": (*roles.notes, *facts["told"]),
    }
    for name, start, end in zip(facts["names"], [0, *ends[:-1]], ends, strict=True):
        own = {key: arrays[key][start:end] for key in ("values", "known", "categories", "labels") if key in arrays}
        series = Series(name, None, **own, **shared)
        if "times" in arrays:
            stamps = arrays["times"][start:end]
            places = arrays["rows"][start:end] if "rows" in arrays else None
            table = Table(path, pd.DataFrame(), roles, _place(places, start), facts["rules"])
            series = _timed(series, stamps, table, config, aware=facts["aware"])
        yield dataclasses.replace(series, notes=(*series.notes, *series_notes(series)))


def _timed(series: Series, stamps: Array, table: Table, config: SeriesDataConfig, *, aware: bool) -> Series:
    """The series with its times, int64 nanoseconds; they stay on disk where they are equally far apart."""
    frequency = _plain_frequency(stamps, config, aware=aware)
    if frequency is not None:
        rules = {**series.rules, "frequency": str(frequency)}
        return dataclasses.replace(series, times=stamps.view("datetime64[ns]"), frequency=frequency, rules=rules)
    index = pd.DatetimeIndex(stamps.view("datetime64[ns]"), copy=False)
    return timed(table, config, series, times=index.tz_localize("UTC") if aware else index, members=None)


def _plain_frequency(stamps: Array, config: SeriesDataConfig, *, aware: bool) -> Frequency | None:
    """The distance of rows whose times are equally far apart to the nanosecond, so that they need no look as a whole.

    None for all others, and where a setting or a clock that is put forward has a say.
    """
    wanted = config.frequency or config.irregular == "keep" or config.duplicates == "keep"
    if wanted or not (aware or config.timezone == "UTC") or len(stamps) <= SAMPLE:
        return None
    step = int(stamps[1] - stamps[0])
    if step <= 0 or not all(
        (np.diff(stamps[start : start + AT_ONCE + 1]) == step).all() for start in range(0, len(stamps), AT_ONCE)
    ):
        return None
    few = stamps[:SAMPLE].view("datetime64[ns]")
    frequency = detect_frequency(few, to_local(few, config.timezone))
    return frequency if frequency and (frequency.unit == "nanosecond" or config.timezone == "UTC") else None


def _place(rows: Array | None, start: int) -> Any:
    """Maps a row of a series to what a person calls it."""
    return lambda row: f"row {(start + row if rows is None else int(rows[row])) + 1:,}"
