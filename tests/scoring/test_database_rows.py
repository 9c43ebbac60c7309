"""Rows of a query, in an order that a restart sees again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.scoring.database_rows import Database
from rnnapps.scoring.records import Records, find_inputs, rows_of

QUERY = "SELECT id, text FROM notes WHERE id > 1 ORDER BY id"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE notes (id INTEGER, text TEXT)")
        connection.executemany("INSERT INTO notes VALUES (?, ?)", [(3, "c"), (1, "a"), (2, "b"), (4, None)])
    return path


def test_rows_come_in_the_order_of_the_query(notes: Path) -> None:
    records = Records(find_inputs([notes], QUERY))
    found = list(records)
    assert [dict(record.values) for record in found] == [
        {"id": 2, "text": "b"}, {"id": 3, "text": "c"}, {"id": 4, "text": None},
    ]  # fmt: skip
    assert (found[0].place, found[0].folder) == (f"{notes}, row 1", notes.parent)
    assert (records.total, records.read) == (3, 3)


def test_an_address_is_a_database_too(notes: Path) -> None:
    """By SQLAlchemy, as PostgreSQL would be."""
    (source,) = find_inputs([f"sqlite+pysqlite:///{notes}"], QUERY)
    assert isinstance(source, Database)
    assert [record.values["text"] for record in Records([source]).beginning(0, 1)] == ["c", None]
    assert rows_of(source) == 3


def test_a_database_that_does_not_count_gives_rows_all_the_same(notes: Path) -> None:
    records = Records([Database(str(notes), f"{QUERY} -- by number")])  # which hides the end of the count's query
    assert records.total == 0
    assert len(list(records)) == 3
    assert records.share == 1.0


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", r"notes\.db: is a database; say which rows are wanted: --query"),
        ("SELECT id FROM notes", "--query: has no ORDER BY"),
    ],
)
def test_a_query_must_have_an_order(notes: Path, query: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        find_inputs([notes], query)


def test_a_query_without_a_database(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(ConfigError, match="--query: no database is given"):
        find_inputs([tmp_path / "a.jsonl"], QUERY)


def test_a_query_that_fails_is_one_line(notes: Path) -> None:
    with pytest.raises(DataError, match=r"notes\.db: the query cannot be read: no such table: none") as error:
        list(Records([Database(str(notes), "SELECT * FROM none ORDER BY id")]))
    assert "\n" not in str(error.value)
