"""Detectors of unusual windows that cost a second: distance to the nearest cluster, and what a few components leave.

Both look at a row within all windows that hold it, the later rows too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.windows_of_rows import row_windows, scores_of_rows
from rnnapps.types import Array

__all__ = ["cluster_distance", "window_residual"]

WINDOWS = 3000
"""Windows of training rows that are learned from."""

CHUNK = 4096
CLUSTERS = 20
EXPLAINED_VARIANCE = 0.9

Fitted = Callable[[SeriesPart], tuple[Array, Array]]
"""As in `baselines`."""


def cluster_distance(train: Sequence[SeriesPart], rows: SensorRows, seed: int, length: int) -> Fitted:
    """How far windows are from the nearest of 20 clusters of training windows (k-means, by scikit-learn)."""
    from sklearn.cluster import KMeans

    windows = _training_windows(train, rows, length)
    distinct = len(np.unique(windows, axis=0))
    clusters = KMeans(min(CLUSTERS, distinct), n_init=1, random_state=seed).fit(windows)
    centres = clusters.cluster_centers_
    squares = (centres**2).sum(axis=1)

    def distance(windows: Array) -> Array:
        squared = (windows**2).sum(axis=1)[:, None] - 2 * windows @ centres.T + squares
        found: Array = np.sqrt(np.maximum(squared.min(axis=1), 0))
        return found

    return _by_windows(distance, rows, length)


def window_residual(train: Sequence[SeriesPart], rows: SensorRows, seed: int, length: int) -> Fitted:
    """What the main components of training windows, those of 90 % of the variance, cannot rebuild of windows."""
    windows = _training_windows(train, rows, length)
    mean = windows.mean(axis=0)
    _, sizes, directions = np.linalg.svd(windows - mean, full_matrices=False)
    shares = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-12)
    kept = directions[: int(np.searchsorted(shares, EXPLAINED_VARIANCE)) + 1]

    def residual(windows: Array) -> Array:
        centred = windows - mean
        squared = (centred**2).sum(axis=1) - ((centred @ kept.T) ** 2).sum(axis=1)
        found: Array = np.sqrt(np.maximum(squared, 0))
        return found

    return _by_windows(residual, rows, length)


def _training_windows(train: Sequence[SeriesPart], rows: SensorRows, length: int) -> Array:
    """Windows spread over the training rows, at most 3,000."""
    each = max(WINDOWS // len(train), 1)
    tables = [row_windows(_padded(part, rows, length), length, most=each) for part in train]
    return np.concatenate(tables).astype(np.float64)


def _by_windows(judge: Callable[[Array], Array], rows: SensorRows, length: int) -> Fitted:
    """Scores of rows from those of all windows that hold them."""

    def scores(part: SeriesPart) -> tuple[Array, Array]:
        table = _padded(part, rows, length)
        pieces = [
            judge(row_windows(table[first : first + CHUNK + length - 1], length).astype(np.float64))
            for first in range(0, len(table) - length + 1, CHUNK)
        ]
        found = scores_of_rows(np.concatenate(pieces), length)[-len(part) :, None].astype(np.float32)
        return found, np.ones_like(found)

    return scores


def _padded(part: SeriesPart, rows: SensorRows, length: int) -> Array:
    """Scaled values of the watched channels, with the rows before the part that its first windows need."""
    first = max(part.start - length + 1, 0)
    values = rows.scale_array(part.series.values[first : part.stop], part.series.name)[0][:, rows.target_places]
    return np.pad(values, ((max(length - len(values), 0), 0), (0, 0)), mode="edge")
