"""Comparisons of answers: exact for strings, integers and booleans, within a tolerance for floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from rnnapps.export.arrays import Arrays
from rnnapps.types import Array

__all__ = ["differences", "not_finite", "pad_like_server", "wrong_batch", "wrong_text"]


def differences(expected: Arrays, found: Arrays, *, tolerance: float, padding: bool = False) -> Iterator[str]:
    """Yields one line for each output that differs.

    Args:
        expected: output name -> array `(batch, ...)`.
        found: the same.
        tolerance: largest difference of floats, as a share of the largest expected value, or of 1 if that is larger.
        padding: the dimensions after the batch may differ, as they are as long as the longest row; what both
            have is compared.
    """
    if set(expected) != set(found):
        yield f"outputs {sorted(found)} found, {sorted(expected)} expected"
        return
    for name in sorted(expected):
        problem = _difference(expected[name], found[name], tolerance, padding)
        if problem:
            yield f"output {name!r}: {problem}"


def not_finite(outputs: Arrays) -> Iterator[str]:
    """Yields one line for each output with NaN or infinity, which JSON cannot carry."""
    for name, array in sorted(outputs.items()):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            row = int(np.argwhere(~np.isfinite(array))[0][0]) if array.ndim else 0
            yield f"output {name!r}: NaN or infinity in row {row}; JSON has neither, mask it or fix the graph"


def wrong_batch(outputs: Arrays, batch: int) -> Iterator[str]:
    """Yields one line for each output whose first dimension is not the batch."""
    for name, array in sorted(outputs.items()):
        if array.shape[:1] != (batch,):
            yield f"output {name!r}: shape {array.shape} for a batch of {batch}; lead with the batch dimension"


def wrong_text(outputs: Arrays) -> Iterator[str]:
    """Yields one line for each output of binary strings whose name does not say so."""
    for name, array in sorted(outputs.items()):
        if array.dtype == object and not name.endswith("_bytes") and not all(map(_is_text, array.ravel().tolist())):
            yield f"output {name!r}: holds bytes that are not UTF-8; name it '{name}_bytes', so that JSON carries them"


def pad_like_server(inputs: Arrays, shapes: Mapping[str, list[int | None]], *, steps: int = 3) -> Arrays | None:
    """Lengthens every input of variable length as a batching server does: with each row's first element.

    Args:
        inputs: input name -> array `(batch, ...)`.
        shapes: input name -> declared shape, None for any size.
        steps: by how much each variable dimension grows.

    Returns:
        The longer inputs, or None when no dimension but the batch is variable.
    """
    if not any(None in shape[1:] for shape in shapes.values()):
        return None
    return {name: _pad(array, shapes.get(name, []), steps) for name, array in inputs.items()}


def _pad(array: Array, shape: list[int | None], steps: int) -> Array:
    """One input, longer by `steps` wherever its declared shape is open, the batch apart."""
    longer = [
        size + steps if axis and known is None else size
        for axis, (size, known) in enumerate(zip(array.shape, shape, strict=False))
    ]
    result = np.empty(longer or array.shape, dtype=array.dtype)
    for row in range(len(array)):
        first = array[row : row + 1].ravel()[:1]  # a row of a flat array of strings is no array
        result[row] = first[0] if len(first) else (b"" if array.dtype == object else 0)
    result[tuple(slice(size) for size in array.shape)] = array
    return result


def _difference(expected: Array, found: Array, tolerance: float, padding: bool) -> str:
    """How two arrays differ, or nothing."""
    if expected.dtype != found.dtype:
        return f"{found.dtype} found, {expected.dtype} expected"
    if padding and expected.ndim == found.ndim and expected.shape[:1] == found.shape[:1]:
        corner = tuple(slice(min(pair)) for pair in zip(expected.shape, found.shape, strict=True))
        expected, found = expected[corner], found[corner]
    if expected.shape != found.shape:
        return f"shape {found.shape} found, {expected.shape} expected"
    if not expected.size:
        return ""
    if expected.dtype.kind == "f":
        return _float_difference(expected, found, tolerance)
    wrong = np.argwhere(expected != found)
    if not len(wrong):
        return ""
    index = tuple(wrong[0].tolist())
    return f"{_short(found[index])} found, {_short(expected[index])} expected at {list(index)}"


def _float_difference(expected: Array, found: Array, tolerance: float) -> str:
    """How two arrays of floats differ, or nothing; the same infinity or NaN in both is no difference."""
    wide, other = expected.astype(np.float64), found.astype(np.float64)
    both_bad = ~np.isfinite(wide) & ((wide == other) | (np.isnan(wide) & np.isnan(other)))
    with np.errstate(invalid="ignore"):
        gap = np.where(both_bad, 0.0, np.abs(wide - other))
    gap = np.where(np.isnan(gap), np.inf, gap)
    finite = np.abs(wide[np.isfinite(wide)])
    allowed = tolerance * max(1.0, float(finite.max()) if finite.size else 1.0)
    if gap.max() <= allowed:
        return ""
    index = tuple(int(axis) for axis in np.unravel_index(int(gap.argmax()), gap.shape))
    return f"differs by {gap.max():.3g} at {list(index)}, {allowed:.3g} allowed"


def _is_text(value: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _short(value: np.generic | bytes) -> str:
    """A value as an error shows it, its middle left out where it is long."""
    text = repr(value if isinstance(value, bytes) else value.item())
    return text if len(text) <= 60 else text[:40] + "..." + text[-15:]
