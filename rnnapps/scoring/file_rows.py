"""Rows of binary files: Parquet, tar archives, and any other file, which is one row."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.data.compressed import decompressed
from rnnapps.errors import DataError
from rnnapps.scoring.row_format import CONTENT, LARGEST_FILE, Record, RowFormat, Told

if TYPE_CHECKING:
    import pyarrow

__all__ = ["PARQUET", "TAR", "WHOLE"]

ROWS_AT_A_TIME = 4096
"""Of a Parquet file."""


@dataclass(frozen=True)
class _Batch:
    """Some rows of a Parquet file, whose values are made when the first of them is asked for."""

    table: pyarrow.RecordBatch

    @cached_property
    def values(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table.to_pylist()
        return found


def _parquet(path: Path, read: Told) -> Iterator[tuple[int, int, _Batch]]:
    """Number of each row in the file, from 1, and where it lies in which batch."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        share = path.stat().st_size / max(1, file.metadata.num_rows)
        number = 0
        for batch in map(_Batch, file.iter_batches(batch_size=ROWS_AT_A_TIME)):
            for place in range(batch.table.num_rows):
                number += 1
                read(share)
                yield number, place, batch
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise DataError(path, f"cannot be read as Parquet ({reason})", "write it again") from error


def _parquet_record(path: Path, raw: tuple[int, int, _Batch]) -> Record:
    number, place, batch = raw
    return Record(f"{path}, row {number}", path.parent, batch.values[place])


_Members = tuple[str, dict[str, Any], str]
"""Key, columns, and what is wrong with them."""


def _groups(path: Path, read: Told) -> Iterator[_Members]:
    """Groups of neighbouring members that differ behind the first point of their names only, by what stands there."""
    with tarfile.open(path) as archive:
        members = (member for member in archive if member.isfile())
        for key, group in groupby(members, key=lambda member: _stem(member.name)[0]):
            values: dict[str, Any] = {"key": key}
            problem = ""
            # Read as they pass: there is no way back in an archive that is compressed.
            for member in group:
                read(member.size)
                if member.size > LARGEST_FILE:
                    problem = f"{member.name} is larger than {LARGEST_FILE >> 20} MiB"
                    continue
                file = archive.extractfile(member)
                assert file is not None
                values[_stem(member.name)[1] or CONTENT] = file.read()
            yield key, values, problem


def _group_record(path: Path, raw: _Members) -> Record:
    """`0001.wav` and `0001.txt` are a row with the columns `wav` and `txt`, and `key`: `0001`."""
    key, values, problem = raw
    return Record(f"{path}, {key}", path.parent, values, problem)


def _stem(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    stem, _, suffix = last.partition(".")
    return (f"{folder}/{stem}" if folder else stem), suffix


def _one(path: Path, read: Told) -> Iterator[int]:
    """The size of the file, as its only row."""
    size = path.stat().st_size
    read(size)
    yield size


def _whole_record(path: Path, size: int) -> Record:
    if size > LARGEST_FILE:
        return Record(str(path), path.parent, {}, f"is larger than {LARGEST_FILE >> 20} MiB")
    try:
        content = decompressed(path.read_bytes(), path, maximum_bytes=LARGEST_FILE)
    except DataError as error:
        return Record(str(path), path.parent, {}, error.problem)
    return Record(str(path), path.parent, {CONTENT: content})


PARQUET = RowFormat(_parquet, _parquet_record)
TAR = RowFormat(_groups, _group_record)
WHOLE = RowFormat(_one, _whole_record)
