"""Rows out of files and databases, in one order, from any of them on."""

from __future__ import annotations

import itertools
import lzma
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from rnnapps.data.compressed import plain_suffix
from rnnapps.errors import ConfigError, DataError
from rnnapps.scoring.database_rows import Database
from rnnapps.scoring.file_rows import PARQUET, TAR, WHOLE
from rnnapps.scoring.line_rows import COMMA_SEPARATED, JSON_LINES, TEXT_LINES
from rnnapps.scoring.row_format import Record, RowFormat, Told
from rnnapps.scoring.tfrecord_rows import TFRECORD, is_tfrecord

__all__ = ["FORMATS", "Records", "Source", "find_inputs", "rows_of", "size_of"]

Source = Path | Database
"""What rows come from."""

FORMATS: Mapping[str, RowFormat] = {
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".csv": COMMA_SEPARATED,
    ".tsv": COMMA_SEPARATED,
    ".parquet": PARQUET,
    ".txt": TEXT_LINES,
    ".tar": TAR,
}
"""Suffix -> how such files are read; TFRecord files are known by more of their names, and all others are one row."""


@dataclass
class Records:
    """The rows of some sources, in order; the same ones each time.

    Attributes:
        sources: files and databases.
        read: bytes of files, and rows of databases, that have been yielded so far.
    """

    sources: Sequence[Source]
    read: float = field(init=False, default=0)

    @cached_property
    def total(self) -> int:
        """Bytes of all files, and rows of all databases."""
        return sum(map(size_of, self.sources))

    def __iter__(self) -> Iterator[Record]:
        """Yields the rows; raises DataError for a source that cannot be read at all."""
        return self.beginning(0, 0)

    def beginning(self, number: int, row: int) -> Generator[Record, None, None]:
        """The rows from one on.

        Args:
            number: of the source, from 0.
            row: of this source, from 0; those before it are passed over.

        Raises:
            DataError: a source cannot be read at all.
        """
        for place, source in enumerate(self.sources[number:]):
            raw, record = _steps(source)
            with _told(source):
                yield from map(record, itertools.islice(raw(self._read), 0 if place else row, None))

    @property
    def share(self) -> float:
        """Which share of the sources has been read."""
        return min(1.0, self.read / max(1, self.total))

    def _read(self, count: float) -> None:
        self.read += count


def find_inputs(given: Sequence[str | Path], query: str = "") -> list[Source]:
    """The databases and files that are given, and the files in folders that are, by name; hidden ones are left out.

    Args:
        given: files, folders, and addresses of databases.
        query: the rows of a database.

    Raises:
        ConfigError: a query is missing, or there is no database for it.
        DataError: a file does not exist, or a folder holds none.
    """
    found: list[Source] = []
    for each in given:
        path = Path(each)
        if _is_database(each):
            found.append(Database(str(each), query))
        elif path.is_dir():
            below = sorted(file for file in path.rglob("*") if file.is_file())
            files = [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
            if not files:
                raise DataError(path, "holds no file", "name a folder with files")
            found += files
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(path, "no such file or folder", "name files that exist")
    if query and not any(isinstance(source, Database) for source in found):
        raise ConfigError("--query: no database is given; leave it out, or name one")
    return found


def rows_of(source: Source) -> int:
    """How many rows a source has; those that cannot be read count too.

    Raises:
        DataError: it cannot be read at all.
    """
    with _told(source):
        return sum(1 for _ in _steps(source)[0](lambda count: None))


def size_of(source: Source) -> int:
    """Bytes of a file, or rows of a database."""
    return source.size if isinstance(source, Database) else source.stat().st_size


def _is_database(given: str | Path) -> bool:
    from rnnapps.data.tables.database import is_database, is_sqlite

    return is_database(given) or (Path(given).is_file() and is_sqlite(given))


def _steps(source: Source) -> tuple[Callable[[Told], Iterator[Any]], Callable[[Any], Record]]:
    """The two steps of reading it."""
    if isinstance(source, Database):
        return source.raw, source.record
    known = TFRECORD if is_tfrecord(source) else FORMATS.get(plain_suffix(source), WHOLE)
    return partial(known.raw, source), partial(known.record, source)


@contextmanager
def _told(source: Source) -> Iterator[None]:
    """Turns errors of the disk and of archives into one line."""
    try:
        yield
    except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0].rstrip(":")
        raise DataError(str(source), f"cannot be read ({reason})", "restore the file or leave it out") from error
