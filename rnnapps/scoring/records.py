"""Rows out of files: JSON lines, CSV, Parquet, lines of text, tar archives, or any file as one row."""

from __future__ import annotations

import csv
import io
import json
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO, Any, cast

from rnnapps.data.compressed import compression_of, decompressed, open_compressed, plain_suffix
from rnnapps.data.csv_file import LONGEST_CELL
from rnnapps.errors import DataError

__all__ = ["CONTENT", "Record", "Records", "find_inputs"]

CONTENT = "content"
"""The only column of what has no columns: a line of text, or the bytes of a file."""

LARGEST_FILE = 256 << 20
"""Bytes of a file that is one row."""
LONGEST_LINE = 64 << 20
"""Bytes of a line of JSON or text."""


@dataclass(frozen=True)
class Record:
    """One row.

    Attributes:
        place: what a person calls it: "a.jsonl, line 3".
        folder: what paths in it are relative to.
        values: column -> value.
        problem: why it could not be read; empty where it could.
    """

    place: str
    folder: Path
    values: Mapping[str, Any]
    problem: str = ""


@dataclass
class Records:
    """The rows of some files, in order; the same ones each time.

    Attributes:
        paths: the files.
        total_bytes: of all files.
        read_bytes: of what has been yielded so far.
    """

    paths: Sequence[Path]
    total_bytes: int = field(init=False)
    read_bytes: float = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Measures the files."""
        self.total_bytes = sum(path.stat().st_size for path in self.paths)

    def __iter__(self) -> Iterator[Record]:
        """Yields the rows; raises DataError for a file that cannot be read at all."""
        for path in self.paths:
            try:
                yield from READERS.get(plain_suffix(path), _whole)(path, self._read)
            except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
                reason = getattr(error, "strerror", None) or str(error).partition("\n")[0].rstrip(":")
                raise DataError(path, f"cannot be read ({reason})", "restore the file or leave it out") from error

    @property
    def share(self) -> float:
        """Which share of the files has been read."""
        return min(1.0, self.read_bytes / max(1, self.total_bytes))

    def _read(self, count: float) -> None:
        self.read_bytes += count


_Reader = Callable[[Path, Callable[[float], None]], Iterator[Record]]


def find_inputs(given: Sequence[Path]) -> list[Path]:
    """The files that are given, and those in folders that are, by name; hidden ones are left out.

    Raises:
        DataError: one does not exist, or a folder holds no file.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            below = sorted(each for each in path.rglob("*") if each.is_file())
            files = [each for each in below if not any(part.startswith(".") for part in each.relative_to(path).parts)]
            if not files:
                raise DataError(path, "holds no file", "name a folder with files")
            found += files
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(path, "no such file or folder", "name files that exist")
    return found


def _lines(path: Path, read: Callable[[float], None]) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not empty, with their numbers; None for one that is too long."""
    with _opened(path, read) as file:
        number, long = 0, False
        while line := file.readline(LONGEST_LINE):
            ended = line.endswith(b"\n")
            number += not long
            if not long and (line.strip() or not ended):
                yield number, line.rstrip(b"\r\n") if ended or len(line) < LONGEST_LINE else None
            long = not ended


def _json_lines(path: Path, read: Callable[[float], None]) -> Iterator[Record]:
    for number, line in _lines(path, read):
        place = f"{path}, line {number}"
        if line is None:
            yield Record(place, path.parent, {}, f"is longer than {LONGEST_LINE >> 20} MiB")
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            yield Record(place, path.parent, {}, "is not JSON")
            continue
        named = isinstance(values, dict)
        yield Record(place, path.parent, values if named else {}, "" if named else "is no JSON object")


def _text_lines(path: Path, read: Callable[[float], None]) -> Iterator[Record]:
    for number, line in _lines(path, read):
        place = f"{path}, line {number}"
        try:
            if line is None:
                yield Record(place, path.parent, {}, f"is longer than {LONGEST_LINE >> 20} MiB")
            else:
                yield Record(place, path.parent, {CONTENT: line.decode("utf-8-sig" if number == 1 else "utf-8")})
        except UnicodeDecodeError:
            yield Record(place, path.parent, {}, "is not UTF-8 text")


def _comma_separated(path: Path, read: Callable[[float], None]) -> Iterator[Record]:
    """Rows by the names in the first one; cells that a row lacks are missing."""
    csv.field_size_limit(LONGEST_CELL)
    delimiter = "\t" if plain_suffix(path) == ".tsv" else ","
    with _opened(path, read) as file:
        rows = csv.DictReader(_decoded(path, file), delimiter=delimiter, strict=True)
        try:
            for row in rows:
                place = f"{path}, line {rows.line_num}"
                problem = "has more cells than the first line" if None in row else ""
                yield Record(
                    place, path.parent, {name: cell for name, cell in row.items() if name is not None}, problem
                )
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(path, f"behind line {rows.line_num}: {error}", "correct the file") from None


def _decoded(path: Path, file: IO[bytes]) -> Iterator[str]:
    """The lines with their ends, whichever these are; raises DataError for one that is too long."""
    encoding = "utf-8-sig"
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            raise DataError(path, f"has a line of more than {LONGEST_LINE >> 20} MiB", "correct the file")
        yield from io.StringIO(line.decode(encoding), newline="")
        encoding = "utf-8"


@contextmanager
def _opened(path: Path, read: Callable[[float], None]) -> Iterator[IO[bytes]]:
    """A file, unpacked where it is compressed, that tells how much of it is read."""
    with open(path, "rb") as file:
        compression = compression_of(path, file.peek(8)[:8])
        counted = io.BufferedReader(_Counted(file, read))
        if not compression:
            yield counted
            return
        with open_compressed(counted, compression) as unpacked:
            yield io.BufferedReader(cast(io.RawIOBase, unpacked))


class _Counted(io.RawIOBase):
    """A binary file that tells how much of it is read."""

    def __init__(self, file: io.BufferedReader, read: Callable[[float], None]) -> None:
        self._file, self._told = file, read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(buffer)
        self._told(count)
        return count


def _parquet(path: Path, read: Callable[[float], None]) -> Iterator[Record]:
    """Rows of a Parquet file, some thousand at a time."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        share = path.stat().st_size / max(1, file.metadata.num_rows)
        number = 0
        for batch in file.iter_batches(batch_size=4096):
            for values in batch.to_pylist():
                number += 1
                read(share)
                yield Record(f"{path}, row {number}", path.parent, values)
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise DataError(path, f"cannot be read as Parquet ({reason})", "write it again") from error


def _tar(path: Path, read: Callable[[float], None]) -> Iterator[Record]:
    """Groups of neighbouring members that differ behind the first point of their names only, by what stands there.

    `0001.wav` and `0001.txt` are a row with the columns `wav` and `txt`, and `key`: `0001`.
    """
    with tarfile.open(path) as archive:
        members = (member for member in archive if member.isfile())
        for key, group in groupby(members, key=lambda member: _stem(member.name)[0]):
            values: dict[str, Any] = {"key": key}
            problem = ""
            for member in group:
                read(member.size)
                if member.size > LARGEST_FILE:
                    problem = f"{member.name} is larger than {LARGEST_FILE >> 20} MiB"
                    continue
                file = archive.extractfile(member)
                assert file is not None
                values[_stem(member.name)[1] or CONTENT] = file.read()
            yield Record(f"{path}, {key}", path.parent, values, problem)


def _stem(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    stem, _, suffix = last.partition(".")
    return (f"{folder}/{stem}" if folder else stem), suffix


def _whole(path: Path, read: Callable[[float], None]) -> Iterator[Record]:
    """A file of any other kind is one row."""
    size = path.stat().st_size
    read(size)
    if size > LARGEST_FILE:
        yield Record(str(path), path.parent, {}, f"is larger than {LARGEST_FILE >> 20} MiB")
        return
    try:
        content = decompressed(path.read_bytes(), path, maximum_bytes=LARGEST_FILE)
    except DataError as error:
        yield Record(str(path), path.parent, {}, error.problem)
    else:
        yield Record(str(path), path.parent, {CONTENT: content})


READERS: Mapping[str, _Reader] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _comma_separated,
    ".tsv": _comma_separated,
    ".parquet": _parquet,
    ".txt": _text_lines,
    ".tar": _tar,
}
"""Suffix -> what reads such a file."""
