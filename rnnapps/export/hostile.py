"""Requests in which one row is bad: what a stranger, a broken client or a batching server may put beside good rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from rnnapps.export.arrays import Arrays
from rnnapps.types import Array

__all__ = ["bad_rows", "no_steps"]

_TEXTS = (b"\xff\x00\xfe no text and no file", b"")


def bad_rows(inputs: Arrays) -> Iterator[tuple[str, int, Arrays]]:
    """Yields (what is wrong, the bad row, the inputs with it): each input, each value of its type that may do harm.

    Args:
        inputs: input name -> array `(batch, ...)` of good rows.
    """
    number = 0
    for name, array in sorted(inputs.items()):
        for value in _values(array):
            row, changed = number % len(array), array.copy()
            changed[row] = value
            said = repr(value) if isinstance(value, bytes) else f"{value:g}"
            yield f"{name} {said} in row {row}", row, inputs | {name: changed}
            number += 1
        if array.ndim > 1 and array.shape[1] > 1 and len(array) > 1 and (values := _values(array)):
            # Mostly behind the row's end, where there may be anything: no place may be read that does not count.
            changed = array.copy()
            changed[1, -1] = values[-1]
            yield f"{name} {values[-1]!r} in the last place of row 1", 1, inputs | {name: changed}


def no_steps(inputs: Arrays, shapes: Mapping[str, list[int | None]]) -> Arrays | None:
    """The same inputs with no place in every dimension of variable length; None where there is none."""
    if not any(None in shape[1:] for shape in shapes.values()):
        return None
    empty = {
        name: tuple(slice(0 if axis and size is None else None) for axis, size in enumerate(shapes.get(name, [])))
        for name in inputs
    }
    return {name: array[empty[name]] for name, array in inputs.items()}


def _values(array: Array) -> tuple[object, ...]:
    """What every place of the bad row holds."""
    if array.dtype == object:
        return _TEXTS
    if array.dtype.kind == "f":
        return (np.nan, np.inf, -float(np.finfo(array.dtype).max))
    if array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        return (*((-1,) if limits.min else ()), limits.max)
    return ()
