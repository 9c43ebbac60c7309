"""Texts in records: JSON lines with a field or with a chat, and a column of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.csv_dicts import csv_dicts, shown_names
from rnnapps.data.text.json_lines import json_object, whole_text
from rnnapps.errors import DataError

__all__ = ["CHAT", "FIELDS", "has_records", "record_texts"]

JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (".csv", ".tsv")
FIELDS = ("text", "content", "body")
"""Where a text is looked for that no setting names."""

CHAT, ROLE, SAID = "messages", "role", "content"
"""A chat is a list of messages with a role and what is said."""


def has_records(path: str | Path, field: str) -> bool:
    """Whether a file is read record by record: JSON lines, and tables of which a column is asked for."""
    suffix = plain_suffix(path)
    return suffix in JSON_SUFFIXES or (bool(field) and suffix in TABLE_SUFFIXES)


def record_texts(path: str | Path, content: str | Iterable[str], field: str, good: GoodExamples) -> Iterator[str]:
    """The text of each record; of a chat, a line `role: what is said` for each message.

    Args:
        path: the file, for errors.
        content: what it holds, or the lines of it.
        field: the key or column to read; empty for `text`, `content`, `body` or a chat's `messages` (JSON lines only).
        good: counts the records that have no such text.

    Raises:
        DataError: there is no such column, or a record has no text and bad ones are refused.
    """
    if plain_suffix(path) in TABLE_SUFFIXES:
        yield from _column(path, content, field)
        return
    every = content.split("\n") if isinstance(content, str) else content
    lines = ((number, line.rstrip("\n")) for number, line in enumerate(every, start=1) if line.strip())
    yield from good.read(partial(_text, path, f"line {number}", line, field=field) for number, line in lines)


def _column(path: str | Path, content: str | Iterable[str], field: str) -> Iterator[str]:
    """The cells of a column that are not empty."""
    names, rows = csv_dicts(path, content)
    if field not in names:
        problem = f"has no column {field!r}; its columns are {shown_names(sorted(names))}"
        raise DataError(path, problem, "name one with --data.field")
    for _, row in rows:
        if row[field].strip():
            yield row[field]


def _text(path: str | Path, place: str, line: str, *, field: str) -> str:
    """The text of a JSON record."""
    record = json_object(path, place, line)
    found = record.get(field) if field else next((record[name] for name in FIELDS if name in record), None)
    text = _chat(record.get(field or CHAT)) if found is None or isinstance(found, list) else found
    if not isinstance(text, str):
        missing = f"no text {field!r}" if field else f"none of {', '.join((*FIELDS, CHAT))}"
        problem = f"{place} has {missing}; its keys are {shown_names(record)}"
        raise DataError(path, problem, "name one with --data.field")
    return whole_text(path, place, text)


def _chat(messages: object) -> str | None:
    """A chat as text; None for what is none."""
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        return None
    told: list[Mapping[str, Any]] = messages
    return "\n".join(f"{message[ROLE]}: {message[SAID]}" for message in told)


def _is_message(message: object) -> bool:
    """Whether a value is a message of a chat."""
    return isinstance(message, dict) and all(isinstance(message.get(key), str) for key in (ROLE, SAID))
