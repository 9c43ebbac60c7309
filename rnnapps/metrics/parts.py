"""The parts of a metric: statistics of examples whose sums give it, so that examples can be drawn again."""

from __future__ import annotations

import math

import numpy as np

from rnnapps.types import Array

__all__ = ["block_length", "means", "ratio", "summed"]


def means(values: Array) -> Array:
    """The statistics of a mean over examples: value and count of each.

    Args:
        values: one number an example `(examples,)`.

    Returns:
        float64 `(examples, 2)`, of which `ratio` makes the mean.
    """
    numbers = np.asarray(values, np.float64)
    return np.stack([numbers, np.ones_like(numbers)], axis=-1)


def ratio(sums: Array) -> Array:
    """The first sum over the second: means, error rates, shares.

    Args:
        sums: `(..., 2)`.

    Returns:
        float64 `(...)`, NaN where the second is 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[..., 1] != 0, sums[..., 0] / sums[..., 1], np.nan)


def block_length(examples: int) -> int:
    """How many neighbours of a running text or series are drawn together: the root of their number.

    Neighbours are alike, so drawing each by itself would take chance for smaller than it is. Blocks and their number
    grow alike, as the block bootstrap needs (Künsch 1989, "The jackknife and the bootstrap for general stationary
    observations").
    """
    return max(1, math.isqrt(examples))


def summed(statistics: Array, groups: Array, *, count: int = 0) -> Array:
    """Statistics of groups of examples.

    Args:
        statistics: `(examples, statistics)`.
        groups: number of the group of each example, from 0, `(examples,)`: a piece, a series, a block.
        count: number of groups, where the last may have no examples.

    Returns:
        float64 `(groups, statistics)`.
    """
    columns = [np.bincount(groups, weights=column, minlength=count) for column in np.asarray(statistics, np.float64).T]
    return np.stack(columns, axis=-1)
