"""JSON and JSON lines, read strictly: no key twice, no number that Python cannot hold, errors with their line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnnapps.errors import DataError

__all__ = ["json_lines", "json_value"]

LONGEST_INTEGER = 19
"""Digits of an integer; longer ones are numbers of 64 bits with a point."""


def _integer(text: str) -> int | float:
    return int(text) if len(text.lstrip("-")) <= LONGEST_INTEGER else float(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; raises ValueError for a key that occurs twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice[:60]!r} occurs twice in an object")
    return found


def json_value(path: Path, text: str) -> Any:
    """The value of a text; raises DataError for what is no JSON, with the line."""
    return _decoded(path, text, 1)


def json_lines(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of each line that is not empty.

    Raises:
        DataError: a line holds no JSON object; with its number.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            value = _decoded(path, line, number)
            if not isinstance(value, dict):
                problem = f"line {number}: expected an object, found {line.strip()[:60]!r}"
                raise DataError(path, problem, 'write lines such as {"time": "2024-06-30", "load": 1.5}')
            yield number, value


def _decoded(path: Path, text: str, line: int) -> Any:
    """The value of a text that begins in a line."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        place = f"line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(path, f"{place}: is no JSON ({error.msg})", "correct the file") from None
    except RecursionError:
        raise DataError(path, f"line {line}: objects lie too deep within each other", "write plain rows") from None
    except ValueError as error:
        raise DataError(path, f"line {line}: {error}", "write each key once") from None
