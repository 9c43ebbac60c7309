"""The first look at data of which nothing is known: names of files, first lines, the first table."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.data.archives import unpacked_source
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.file_kinds import HEAD_BYTES, kind_of
from rnnapps.data.sources import list_files
from rnnapps.errors import RnnappsError

if TYPE_CHECKING:
    from rnnapps.data.series.config import SeriesDataConfig
    from rnnapps.data.series.table_frame import Table

__all__ = ["TABLE_SUFFIXES", "Head", "first_table", "head_of"]

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
MOST_LINES = 200
TEXT = ("", "plain text")
"""What `kind_of` says of text: it knows no other kind by its first bytes."""


@dataclass(frozen=True)
class Head:
    """What can be seen of data at once.

    Attributes:
        path: the file or folder, unpacked.
        files: the file; of a folder, all files in it and below.
        lines: the first lines of a file of text, without those that are empty; none of a folder.
    """

    path: Path
    files: tuple[Path, ...]
    lines: tuple[str, ...]

    def share(self, suffixes: Collection[str]) -> float:
        """Which share of the files ends so."""
        return self.count(suffixes) / max(len(self.files), 1)

    def count(self, suffixes: Collection[str]) -> int:
        """How many of the files end so."""
        return sum(plain_suffix(path) in suffixes for path in self.files)

    def naming(self, suffixes: Collection[str]) -> float:
        """Which share of the lines names a file that ends so."""
        endings = "|".join(re.escape(suffix) for suffix in suffixes)
        named = re.compile(rf"\w({endings})(?!\w)", re.IGNORECASE)
        return sum(bool(named.search(line)) for line in self.lines) / max(len(self.lines), 1)

    def told(self, suffixes: Collection[str], noun: str) -> str:
        """The files that end so, in words: "12 pieces of music (.mid)"."""
        found = sorted({plain_suffix(path) for path in self.files} & set(suffixes))
        return f"{self.count(suffixes):,} {noun} ({', '.join(found)})"


def head_of(source: str | Path) -> Head:
    """Looks at a file or a folder.

    Raises:
        DataError: an archive is damaged, or a folder cannot be read.
    """
    path = unpacked_source(source)
    if path.is_dir():
        return Head(path, tuple(list_files(path)), ())
    try:
        with open(path, "rb") as file:
            content = file.read(HEAD_BYTES)
    except OSError:
        return Head(path, (path,), ())
    text = content.decode("utf-8", errors="replace") if kind_of(content) in TEXT and b"\0" not in content else ""
    whole = text.splitlines()[: MOST_LINES + 1]
    lines = whole[:-1] if len(content) == HEAD_BYTES else whole  # the last one may be cut
    return Head(path, (path,), tuple(line for line in lines if line.strip())[:MOST_LINES])


def first_table(head: Head, config: SeriesDataConfig) -> Table | None:
    """The table, or the first one of a folder of tables; None where it is none of numbers.

    Args:
        head: of the data.
        config: what is said of tables, defaults for nothing.
    """
    from rnnapps.data.series.table_file import read_table
    from rnnapps.data.tables.json_table import JsonReader
    from rnnapps.data.tables.readers import table_suffixes

    endings = {*TABLE_SUFFIXES, *table_suffixes()} - {*JsonReader.suffixes}  # which texts and pairs have more often
    tables = [path for path in head.files if plain_suffix(path) in endings]
    if len(tables) * 2 <= len(head.files):
        return None
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            table = read_table(tables[0], config)
    except RnnappsError:
        return None
    return table if table.roles.channels else None
