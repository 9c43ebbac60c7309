"""Tables and queries of databases: SQLite by Python itself, all others by SQLAlchemy."""

from __future__ import annotations

import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from rnnapps.data.converters import reason_of
from rnnapps.data.sources import read_head
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader, chosen, require_room
from rnnapps.errors import DataError

__all__ = ["SqliteReader", "is_database", "is_sqlite", "opened_query", "read_database"]

ROWS_AT_ONCE = 50_000
SQLITE = "sqlite:///"
SCHEMES = ("postgresql", "mysql", "mariadb", "oracle", "mssql", "sqlite", "duckdb", "snowflake", "bigquery", "redshift")
NEEDED = "pip install 'rnnapps[sql]', and the driver of the database"
Found = tuple[list[str], Iterator[Sequence[Sequence[Any]]]]
"""The columns' names, and the rows, some at a time."""
FORBIDDEN = "leave it out, and let the driver find it (PGPASSWORD or ~/.pgpass, an option file, a keyring)"


class SqliteReader(TableReader):
    """SQLite files, opened to read alone."""

    title, suffixes, magic = "an SQLite database", (".sqlite", ".sqlite3", ".db"), (b"SQLite format 3\0",)
    takes = ("table", "query")

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        """Reads the only table, the one that a setting names, or the rows of a query."""
        with _sqlite(path, options) as (names, chunks):
            return _found(path, names, chunks)


def is_database(source: str | Path) -> bool:
    """Whether a source is the address of a database, such as postgresql://host/name."""
    scheme, mark, _ = str(source).partition("://")
    return bool(mark) and scheme.split("+")[0] in SCHEMES


def is_sqlite(path: str | Path) -> bool:
    """Whether a file is called as an SQLite database is."""
    return Path(path).suffix.lower() in SqliteReader.suffixes


def read_database(source: str, options: TableOptions) -> FoundTable:
    """Reads a table or a query of a database.

    Args:
        source: its address, as SQLAlchemy takes it, without a password.
        options: which table or query.

    Raises:
        DataError: the address holds a password, a package is missing, or the database does not answer.
    """
    with _database(source, options) as (names, chunks):
        return _found(source, names, chunks)


@contextmanager
def opened_query(source: str, query: str) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    """The columns' names and the rows of a query, of which few are in memory at a time.

    Args:
        source: an SQLite file, or an address as `read_database` takes it.
        query: in SQL.

    Raises:
        DataError: as `read_database`.
    """
    with _database(source, TableOptions(query=query)) as (names, chunks):
        if not names:
            raise _no_rows(source)
        yield names, (row for chunk in chunks for row in chunk)


def _database(source: str, options: TableOptions) -> AbstractContextManager[Found]:
    if is_database(source) and not source.startswith(SQLITE):
        return _server(source, options)
    path = Path(urllib.parse.unquote(source.removeprefix(SQLITE)))
    read_head(path, 1)  # SQLite says little of a file that it cannot open
    return _sqlite(path, options)


@contextmanager
def _sqlite(path: Path, options: TableOptions) -> Iterator[Found]:
    address = f"file:{urllib.parse.quote(str(path.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            query = options.query or _everything(_sqlite_table(path, connection, options.table))
            cursor = connection.execute(query)
            yield [column[0] for column in cursor.description or ()], _chunks(cursor)
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeDecodeError) as error:
        problem = f"{'the query' if options.query else 'the table'} cannot be read: {reason_of(error)}"
        raise DataError(path, problem, "check the query" if options.query else "copy the file again") from None


@contextmanager
def _server(source: str, options: TableOptions) -> Iterator[Found]:
    try:
        import sqlalchemy
    except ImportError:
        raise DataError(_shown(source), "is a database, for which a package is missing", NEEDED) from None
    _require_no_password(source)
    try:
        engine = sqlalchemy.create_engine(source)
        # Nothing is committed; PostgreSQL refuses to write at all.
        with engine.connect().execution_options(stream_results=True, postgresql_readonly=True) as connection:
            query = sqlalchemy.text(options.query) if options.query else _sql_table(source, engine, options.table)
            result = connection.execute(query)
            yield list(result.keys()), _chunks(result)
    except DataError:
        raise
    except Exception as error:  # each driver raises its own
        remedy = NEEDED if isinstance(error, ImportError) else "check the address"
        raise DataError(source, f"cannot be read: {reason_of(error)}", remedy) from None


def _require_no_password(source: str) -> None:
    """Raises DataError for an address with a password, which would stand in the run's folder and in every log."""
    if urllib.parse.urlsplit(source).password is not None:
        raise DataError(_shown(source), "holds a password, which a run would keep", FORBIDDEN)


def _shown(source: str) -> str:
    """An address without its password."""
    scheme, _, rest = source.partition("://")
    user, mark, place = rest.rpartition("@")
    return f"{scheme}://{user.split(':')[0]}{mark}{place}"


def _sqlite_table(path: Path, connection: sqlite3.Connection, wanted: str) -> str:
    """The table that is wanted, or the only one."""
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return chosen(path, [str(name) for (name,) in connection.execute(query)], wanted, "tables")


def _everything(table: str) -> str:
    """The query of all rows of a table."""
    return 'SELECT * FROM "' + table.replace('"', '""') + '"'


def _sql_table(source: str, engine: Any, wanted: str) -> Any:
    """The query of all rows of the table that is wanted, or of the only one."""
    import sqlalchemy

    looked = sqlalchemy.inspect(engine)
    name = chosen(source, [*looked.get_table_names(), *looked.get_view_names()], wanted, "tables")
    return sqlalchemy.select(sqlalchemy.text("*")).select_from(sqlalchemy.table(name))


def _chunks(cursor: Any) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows, some at a time."""
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield rows


def _no_rows(source: Path | str) -> DataError:
    return DataError(source, "the query gives no rows", "give one that begins with SELECT")


def _found(source: Path | str, names: Sequence[str], chunks: Iterator[Sequence[Sequence[Any]]]) -> FoundTable:
    """The table of a result."""
    if not names:
        raise _no_rows(source)
    rows: list[Sequence[Any]] = []
    for chunk in chunks:
        rows += chunk
        require_room(source, rows=len(rows), columns=len(names))
    cells = zip(*rows, strict=True) if rows else ((),) * len(names)
    columns = [pd.Series(list(column), dtype=object).infer_objects() for column in cells]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    frame.columns = pd.Index([str(name) for name in names])
    return FoundTable(frame, lambda row: f"row {row + 1}", texts_hold_numbers=True)
