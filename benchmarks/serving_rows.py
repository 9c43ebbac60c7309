"""Stored examples as requests of one row each, and how much two answers differ."""

from __future__ import annotations

import numpy as np

from rnnapps.types import Array, Arrays

__all__ = ["difference", "rows_of"]


def rows_of(inputs: Arrays) -> list[Arrays]:
    """Each row as a request of its own."""
    count = len(next(iter(inputs.values())))
    return [{name: array[row : row + 1] for name, array in inputs.items()} for row in range(count)]


def difference(first: Arrays, second: Arrays) -> float:
    """The largest of all outputs, as a share of the largest value or of 1, over what both have; 1 for other strings."""
    return max(_distance(first[name], second[name]) for name in first)


def _distance(first: Array, second: Array) -> float:
    common = tuple(slice(min(sizes)) for sizes in zip(first.shape, second.shape, strict=True))
    one, other = first[common], second[common]
    if one.dtype.kind != "f":
        return float(one.tolist() != other.tolist())
    largest = float(np.abs(one).max(initial=1.0))
    return float(np.abs(one - other).max(initial=0.0)) / largest
