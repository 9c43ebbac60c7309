"""Labelled recordings as Python users give them: rows of sound or pictures with what they are, and single inputs."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnapps.data.given import MEMORY
from rnnapps.errors import DataError

__all__ = ["GivenRow", "given_inputs", "given_rows", "has_rate"]


@dataclass(frozen=True)
class GivenRow:
    """One row.

    Attributes:
        cells: one for each column; "" where an optional one is missing.
        place: what to call the row in errors, such as `memory: train[3]`.
    """

    cells: tuple[Any, ...]
    place: str


def given_rows(given: object, place: str, *, columns: tuple[str, ...], optional: str) -> list[GivenRow]:
    """The rows of a frame, by the names of its columns, or of an iterable of tuples.

    Args:
        given: the rows.
        place: what to call all of them in errors.
        columns: names of the cells that every row has.
        optional: name of one more cell, a text, that rows may have.

    Raises:
        DataError: it is neither, a column is missing, or a row has too few or too many cells.
    """
    expected = f"give ({', '.join(columns)}) or ({', '.join((*columns, optional))}) for each"
    if hasattr(given, "itertuples"):
        return _of_frame(given, place, columns=columns, optional=optional)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise DataError(MEMORY, f"{place} is of type {type(given).__name__}", f"give a list or a frame: {expected}")
    rows = []
    for index, row in enumerate(given):
        if not isinstance(row, tuple | list):
            raise DataError(MEMORY, f"{place}[{index}] is of type {type(row).__name__}", expected)
        if not len(columns) <= len(row) <= len(columns) + 1:
            raise DataError(MEMORY, f"{place}[{index}] has {len(row)} parts", expected)
        rows.append(GivenRow((*row, "")[: len(columns) + 1], f"{MEMORY}: {place}[{index}]"))
    return rows


def _of_frame(frame: Any, place: str, *, columns: tuple[str, ...], optional: str) -> list[GivenRow]:
    """The rows of a pandas frame."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        problem = f"{place} has no column {missing[0]}; its columns are {', '.join(map(str, frame.columns)) or 'none'}"
        raise DataError(MEMORY, problem, f"name them {', '.join(columns)}")
    others = frame[optional] if optional in frame.columns else [""] * len(frame)
    rows = zip(*(frame[name] for name in columns), others, strict=True)
    return [GivenRow(tuple(row), f"{MEMORY}: {place}[{index}]") for index, row in enumerate(rows)]


def given_inputs(given: Any, *, one: bool) -> list[tuple[str, Any]]:
    """What to call it in errors, and the input, of each that was given to `predict`."""
    inputs = [("input", given)] if one else [(f"inputs[{index}]", item) for index, item in enumerate(given)]
    return [(f"{MEMORY}: {place}", item) for place, item in inputs]


def has_rate(given: object) -> bool:
    """Whether something is a pair of a recording and its rate, samples or frames in a second."""
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], numbers.Real)
