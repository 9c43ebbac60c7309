"""The formats of tables, and which of them a file is of."""

from __future__ import annotations

import functools
from pathlib import Path

from rnnapps.data.converters import offered
from rnnapps.data.file_kinds import HEAD_BYTES
from rnnapps.data.sources import read_head
from rnnapps.data.tables.arrow import FeatherReader, ParquetReader
from rnnapps.data.tables.database import SqliteReader
from rnnapps.data.tables.excel import ExcelReader
from rnnapps.data.tables.gluonts import GluonTsReader
from rnnapps.data.tables.json_table import JsonReader
from rnnapps.data.tables.line_protocol import LineProtocolReader
from rnnapps.data.tables.m4 import M4Reader
from rnnapps.data.tables.monash import MonashReader
from rnnapps.data.tables.prometheus import PrometheusReader
from rnnapps.data.tables.reader import TableReader
from rnnapps.data.tables.ucr import UcrReader
from rnnapps.data.tables.uea import UeaReader

__all__ = ["READERS", "READER_GROUP", "find_reader", "recognising_reader", "table_readers", "table_suffixes"]

READERS: dict[str, TableReader] = {
    "parquet": ParquetReader(),
    "feather": FeatherReader(),
    "excel": ExcelReader(),
    "sqlite": SqliteReader(),
    "prometheus": PrometheusReader(),
    "gluonts": GluonTsReader(),
    "json": JsonReader(),
    "monash": MonashReader(),
    "m4": M4Reader(),
    "uea": UeaReader(),
    "ucr": UcrReader(),
    "line_protocol": LineProtocolReader(),
}
"""Format -> what reads it, in the order in which files are looked at; what none of them recognises is CSV."""

READER_GROUP = "rnnapps.table_readers"
"""Entry points by which other packages offer readers."""


@functools.cache
def table_readers() -> dict[str, TableReader]:
    """The readers of other packages, and those of this one; looked for once in a process.

    Raises:
        ConfigError: one cannot be loaded, or is none.
    """
    found = offered(READER_GROUP, TableReader, "table reader")  # type: ignore[type-abstract]
    return {**found, **READERS}


def table_suffixes() -> tuple[str, ...]:
    """The endings of files that readers know."""
    return tuple(dict.fromkeys(suffix for reader in table_readers().values() for suffix in reader.suffixes))


def find_reader(path: Path) -> TableReader | None:
    """What reads a file, by its first bytes and else by its name; None for CSV.

    Raises:
        DataError: it cannot be opened.
    """
    by_name = (reader for reader in table_readers().values() if path.suffix.lower() in reader.suffixes)
    return recognising_reader(read_head(path, HEAD_BYTES)) or next(by_name, None)


def recognising_reader(head: bytes) -> TableReader | None:
    """What recognises a file by its first bytes."""
    return next((reader for reader in table_readers().values() if reader.recognises(head)), None)
