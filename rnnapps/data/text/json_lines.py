"""Files with a JSON object a line: what a line holds, and texts that can be written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rnnapps.errors import DataError

__all__ = ["json_object", "whole_text"]


def json_object(path: str | Path, place: str, line: str) -> dict[str, Any]:
    """The object of a line; raises DataError where it holds none.

    Args:
        path: the file, for errors.
        place: what a person calls the line: "line 7".
        line: its content.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"{place} is no JSON: {error}", "give a JSON object a line") from None
    if not isinstance(found, dict):
        raise DataError(path, f"{place} is JSON, but no object", "give a JSON object a line")
    return found


def whole_text(path: str | Path, place: str, text: str) -> str:
    """A text of an object; raises DataError for half a surrogate pair, which JSON can escape and no file can hold.

    Args:
        path: the file, for errors.
        place: what a person calls where it stands.
        text: what stands there.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(path, f"{place} has half a surrogate pair", "correct the line") from None
    return text
