"""Windows of successive rows as vectors, and the scores of windows as scores of rows."""

from __future__ import annotations

import numpy as np

from rnnapps.types import Array

__all__ = ["row_windows", "scores_of_rows"]


def row_windows(rows: Array, length: int, *, most: int | None = None) -> Array:
    """The windows of `length` successive rows, each as one vector `(windows, length * channels)`.

    Args:
        rows: `(rows, channels)`, at least `length`.
        length: rows of a window.
        most: take so many at most, evenly spread; None takes all.
    """
    places = np.arange(len(rows) - length + 1)
    if most is not None and len(places) > most:
        places = np.linspace(0, len(rows) - length, most).astype(int)
    windows: Array = rows[places[:, None] + np.arange(length)].reshape(len(places), -1)
    return windows


def scores_of_rows(scores: Array, length: int) -> Array:
    """The mean score of the windows that hold each row, `(windows,)` -> `(windows + length - 1,)`."""
    total = np.convolve(scores, np.ones(length))
    count = np.convolve(np.ones(len(scores)), np.ones(length))
    mean: Array = total / count
    return mean
