"""Examples and inputs that Python users give, in place of a source that is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnapps.errors import DataError

__all__ = ["MEMORY", "given_file", "given_path", "given_splits"]

MEMORY = "memory"
"""`data.source` of a run whose examples were given from Python, and what errors call them."""

SPLITS = ("train", "validation", "test")


def given_splits(given: object) -> dict[str, Any]:
    """The examples of each split that was given: those of the key `train`, or all of them where there are no keys.

    Args:
        given: a mapping with the key `train`, and perhaps `validation` and `test`; or anything else: it is for
            training, and what is missing is split off it.

    Raises:
        DataError: the mapping has other keys beside these.
    """
    if not isinstance(given, Mapping) or "train" not in given:
        return {"train": given}
    unknown = [str(name) for name in given if name not in SPLITS]
    if unknown:
        raise DataError(MEMORY, f"has the splits {', '.join(unknown)}", f"name them {', '.join(SPLITS)}")
    return {name: given[name] for name in SPLITS if given.get(name) is not None}


def given_file(given: object, path: str) -> str | None:
    """The file that is read, of a path from Python or one of a setting; None for whatever is no file.

    Args:
        given: an input from Python, or None.
        path: what to read where nothing is given; empty for none.
    """
    return str(given) if isinstance(given, str | Path) else path or None


def given_path(given: object, path: str) -> tuple[str, object]:
    """The path to read, and what was given from Python instead: a path that was given is read like any other.

    Args:
        given: an input from Python, or None.
        path: what to read where nothing is given.
    """
    return (str(given), None) if isinstance(given, str | Path) else (path, given)
