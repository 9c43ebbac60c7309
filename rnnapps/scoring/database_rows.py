"""Rows of a query to a database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.errors import ConfigError, DataError
from rnnapps.scoring.row_format import Record, Told

__all__ = ["Database"]

_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)
EXAMPLE = "--query 'SELECT ... ORDER BY ...'"

Numbered = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Database:
    """A query, and the database that is asked.

    Attributes:
        address: an SQLite file, or such as `postgresql://host/name`.
        query: in SQL, with an order.

    Raises:
        ConfigError: the query is missing or has no order.
    """

    address: str
    query: str

    def __post_init__(self) -> None:
        """Checks that a second run of the query gives the rows in the same order."""
        if not self.query:
            raise ConfigError(f"{self.address}: is a database; say which rows are wanted: {EXAMPLE}")
        if not _ORDERED.search(self.query):
            raise ConfigError(
                "--query: has no ORDER BY, so that a second run might see other rows in a part; order by what no two "
                f"rows have in common: {EXAMPLE}"
            )

    def __str__(self) -> str:
        return self.address

    @property
    def size(self) -> int:
        """How many rows there are, or 0 for a database that does not count the rows of an ordered query."""
        try:
            return next((int(row["n"]) for _, row in self._rows(f"SELECT COUNT(*) AS n FROM ({self.query}) asked")), 0)
        except DataError:
            return 0

    def raw(self, read: Told) -> Iterator[Numbered]:
        """The number of each row, from 1, and its cells by their columns' names."""
        for number, row in self._rows(self.query):
            read(1)
            yield number, row

    def record(self, raw: Numbered) -> Record:
        """The row; paths in it are relative to the folder of an SQLite file, or to this one."""
        number, values = raw
        path = Path(self.address)
        return Record(f"{self.address}, row {number}", path.parent if path.is_file() else Path(), values)

    def _rows(self, query: str) -> Iterator[Numbered]:
        from rnnapps.data.tables.database import opened_query

        with opened_query(self.address, query) as (names, rows):
            for number, row in enumerate(rows, 1):
                yield number, dict(zip(names, row, strict=True))
