"""Detectors without a network, whose errors or scores go through the same thresholds."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.calibrate import HeldOut
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.subsequences import cluster_distance, window_residual
from rnnapps.types import Array

__all__ = ["BASELINES", "Baseline", "isolation_forest", "last_value", "moving_z_score", "pca_residual"]

Fitted = Callable[[SeriesPart], tuple[Array, Array]]
"""Maps a part to errors and where they exist, both `(rows, targets)`."""

Judge = Callable[[Sequence[SeriesPart]], list[HeldOut]]
"""Maps parts to what stands in `HeldOut`."""

EXPLAINED_VARIANCE = 0.9
FOREST_ROWS = 20_000


def last_value(train: Sequence[SeriesPart], rows: SensorRows, seed: int, length: int) -> Fitted:
    """Forecasts that each channel stays as it is."""

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        values, present = _watched(part, rows, before=1)
        return np.diff(values, axis=0), present[1:] * present[:-1]

    return errors


def moving_z_score(train: Sequence[SeriesPart], rows: SensorRows, seed: int, length: int) -> Fitted:
    """How many deviations each channel lies from its mean over `length` rows before."""

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        values, present = _watched(part, rows, before=length)
        # Sums over the rows before each are differences of running sums, in float64 lest they cancel.
        sums = [np.cumsum(np.pad(power, ((1, 0), (0, 0))), axis=0, dtype=np.float64) for power in _powers(values)]
        mean, square = ((total[length:-1] - total[: -length - 1]) / length for total in sums)
        deviation = np.sqrt(np.maximum(square - mean**2, 1e-4))
        return ((values[length:] - mean) / deviation).astype(np.float32), present[length:]

    return errors


def pca_residual(train: Sequence[SeriesPart], rows: SensorRows, seed: int, length: int) -> Fitted:
    """What the main components of a few successive rows cannot rebuild of the last one."""
    table = np.concatenate([_lagged(part, rows, length) for part in train])
    mean = table.mean(axis=0)
    _, sizes, directions = np.linalg.svd(_some(table - mean, seed), full_matrices=False)
    shares = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-12)
    kept = directions[: int(np.searchsorted(shares, EXPLAINED_VARIANCE)) + 1]
    channels = len(rows.channels)

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        lagged = _lagged(part, rows, length) - mean
        rest = (lagged - lagged @ kept.T @ kept)[:, -channels:]
        return rest[:, rows.target_places].astype(np.float32), _watched(part, rows)[1]

    return errors


def isolation_forest(train: Sequence[SeriesPart], rows: SensorRows, seed: int, length: int) -> Fitted:
    """How quickly random cuts isolate a few successive rows (Liu et al. 2008), by scikit-learn."""
    from sklearn.ensemble import IsolationForest

    table = np.concatenate([_lagged(part, rows, length) for part in train])
    forest = IsolationForest(n_estimators=100, random_state=seed).fit(_some(table, seed))

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        scores = -forest.score_samples(_lagged(part, rows, length)).astype(np.float32)[:, None]
        return scores, np.ones_like(scores)

    return errors


class Baseline(NamedTuple):
    """A way to make errors, or scores, without a network.

    Attributes:
        fit: learns from training parts; the number it takes is one of `lengths`.
        lengths: numbers of rows to look at, of which validation rows choose the best.
        per_series: whether each series has a fit of its own.
        scores: it gives scores, of which more is more anomalous, not errors.
    """

    fit: Callable[[Sequence[SeriesPart], SensorRows, int, int], Fitted]
    lengths: tuple[int, ...] = (1,)
    per_series: bool = False
    scores: bool = False

    def learn(self, train: Sequence[SeriesPart], rows: SensorRows, *, seed: int, length: int) -> Judge:
        """Learns from training parts; what it returns maps parts to their errors.

        A series that is not among the training parts is judged by what all of them have taught.
        """
        own = {part.series.name: [part] for part in train} if self.per_series else {}

        @functools.cache
        def fitted(name: str) -> Fitted:
            return self.fit(own.get(name, train), rows, seed, length)

        def judge(parts: Sequence[SeriesPart]) -> list[HeldOut]:
            found = []
            for part in parts:
                errors, valid = fitted(part.series.name if part.series.name in own else "")(part)
                labels = part.rows().labels
                normal = np.ones(len(part), bool) if labels is None else labels <= 0
                found.append(HeldOut(rows.group(part.series.name), errors, valid, normal))
            return found

        return judge

    def settings(self, config: DetectionConfig) -> DetectionConfig:
        """How what it gives becomes scores: scores stay as they are."""
        if not self.scores:
            return config
        return dataclasses.replace(config, scorer="absolute", normalise=False, smoothing_steps=(1,))


BASELINES = {
    "last value": Baseline(last_value),
    "moving z-score": Baseline(moving_z_score, (30, 100, 300)),
    "PCA residual": Baseline(pca_residual, (1, 4, 16), per_series=True),
    "isolation forest": Baseline(isolation_forest, (4,), per_series=True, scores=True),
    "k-means of windows": Baseline(cluster_distance, (8, 32, 128), per_series=True, scores=True),
    "PCA of windows": Baseline(window_residual, (8, 32, 128), per_series=True, scores=True),
}


def _watched(part: SeriesPart, rows: SensorRows, *, before: int = 0) -> tuple[Array, Array]:
    """Scaled values of the watched channels and where they exist, with `before` rows in front; 0 before the first."""
    first = max(part.start - before, 0)
    values, present = rows.scale_array(part.series.values[first : part.stop], part.series.name)
    pad = ((before - (part.start - first), 0), (0, 0))
    places = rows.target_places
    return np.pad(values[:, places], pad), np.pad(present[:, places], pad)


def _lagged(part: SeriesPart, rows: SensorRows, lags: int) -> Array:
    """Each row of a part behind the rows before it, `(rows, lags * channels)`."""
    first = max(part.start - lags + 1, 0)
    values, _ = rows.scale_array(part.series.values[first : part.stop], part.series.name)
    padded = np.pad(values, ((lags - 1 - (part.start - first), 0), (0, 0)), mode="edge")
    return np.concatenate([padded[lag : lag + len(part)] for lag in range(lags)], axis=1)


def _powers(values: Array) -> list[Array]:
    """The values and their squares, whose means give mean and variance."""
    wide = values.astype(np.float64)
    return [wide, wide**2]


def _some(table: Array, seed: int) -> Array:
    """At most 20,000 rows, drawn at random."""
    if len(table) <= FOREST_ROWS:
        return table
    return table[np.random.default_rng(seed).choice(len(table), FOREST_ROWS, replace=False)]
