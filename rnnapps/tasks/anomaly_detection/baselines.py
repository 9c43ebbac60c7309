"""Detectors without a network, whose errors go through the same scores and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.calibrate import HeldOut
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.types import Array

__all__ = ["BASELINES", "Baseline", "isolation_forest", "last_value", "moving_z_score", "pca_residual"]

Fitted = Callable[[SeriesPart], tuple[Array, Array]]
"""Maps a part to errors and where they exist, both `(rows, targets)`."""

MOVING_ROWS = 100
EXPLAINED_VARIANCE = 0.9
LAGS = 4
FOREST_ROWS = 20_000


def last_value(train: Sequence[SeriesPart], rows: SensorRows, seed: int) -> Fitted:
    """Forecasts that each channel stays as it is."""

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        values, present = _watched(part, rows, before=1)
        return np.diff(values, axis=0), present[1:] * present[:-1]

    return errors


def moving_z_score(train: Sequence[SeriesPart], rows: SensorRows, seed: int) -> Fitted:
    """How many deviations each channel lies from its mean over the 100 rows before."""

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        values, present = _watched(part, rows, before=MOVING_ROWS)
        # Sums over the 100 rows before each are differences of running sums, in float64 lest they cancel.
        sums = [np.cumsum(np.pad(power, ((1, 0), (0, 0))), axis=0, dtype=np.float64) for power in _powers(values)]
        mean, square = ((total[MOVING_ROWS:-1] - total[: -MOVING_ROWS - 1]) / MOVING_ROWS for total in sums)
        deviation = np.sqrt(np.maximum(square - mean**2, 1e-4))
        return ((values[MOVING_ROWS:] - mean) / deviation).astype(np.float32), present[MOVING_ROWS:]

    return errors


def pca_residual(train: Sequence[SeriesPart], rows: SensorRows, seed: int) -> Fitted:
    """What the main components of a few successive rows cannot rebuild of the last one."""
    table = np.concatenate([_lagged(part, rows) for part in train])
    mean = table.mean(axis=0)
    _, sizes, directions = np.linalg.svd(_some(table - mean, seed), full_matrices=False)
    shares = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-12)
    kept = directions[: int(np.searchsorted(shares, EXPLAINED_VARIANCE)) + 1]
    channels = len(rows.channels)

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        lagged = _lagged(part, rows) - mean
        rest = (lagged - lagged @ kept.T @ kept)[:, -channels:]
        return rest[:, rows.target_places].astype(np.float32), _watched(part, rows)[1]

    return errors


def isolation_forest(train: Sequence[SeriesPart], rows: SensorRows, seed: int) -> Fitted:
    """How quickly random cuts isolate a few successive rows (Liu et al. 2008), by scikit-learn."""
    from sklearn.ensemble import IsolationForest

    table = np.concatenate([_lagged(part, rows) for part in train])
    forest = IsolationForest(n_estimators=100, random_state=seed).fit(_some(table, seed))

    def errors(part: SeriesPart) -> tuple[Array, Array]:
        scores = -forest.score_samples(_lagged(part, rows)).astype(np.float32)[:, None]
        return scores, np.ones_like(scores)

    return errors


class Baseline(NamedTuple):
    """A way to make errors without a network.

    Attributes:
        fit: learns from training parts.
        per_series: whether each series has a fit of its own.
    """

    fit: Callable[[Sequence[SeriesPart], SensorRows, int], Fitted]
    per_series: bool

    def held_out(
        self, train: Sequence[SeriesPart], parts: Sequence[SeriesPart], rows: SensorRows, seed: int
    ) -> list[HeldOut]:
        """The errors of parts, after learning from the training parts."""
        fits: dict[str, Fitted] = {}
        if self.per_series:
            fits = {part.series.name: self.fit([part], rows, seed) for part in train}
        missing = any(part.series.name not in fits for part in parts)
        common = self.fit(train, rows, seed) if missing else None
        errors_of_parts = []
        for part in parts:
            fitted = fits.get(part.series.name) or common
            assert fitted is not None
            errors, valid = fitted(part)
            labels = part.rows().labels
            normal = np.ones(len(part), bool) if labels is None else labels <= 0
            errors_of_parts.append(HeldOut(rows.group(part.series.name), errors, valid, normal))
        return errors_of_parts


BASELINES = {
    "last value": Baseline(last_value, per_series=False),
    "moving z-score": Baseline(moving_z_score, per_series=False),
    "PCA residual": Baseline(pca_residual, per_series=True),
    "isolation forest": Baseline(isolation_forest, per_series=True),
}


def _watched(part: SeriesPart, rows: SensorRows, *, before: int = 0) -> tuple[Array, Array]:
    """Scaled values of the watched channels and where they exist, with `before` rows in front; 0 before the first."""
    first = max(part.start - before, 0)
    values, present = rows.scale_array(part.series.values[first : part.stop])
    pad = ((before - (part.start - first), 0), (0, 0))
    places = rows.target_places
    return np.pad(values[:, places], pad), np.pad(present[:, places], pad)


def _lagged(part: SeriesPart, rows: SensorRows) -> Array:
    """Each row of a part behind the rows before it, `(rows, lags * channels)`."""
    first = max(part.start - LAGS + 1, 0)
    values, _ = rows.scale_array(part.series.values[first : part.stop])
    padded = np.pad(values, ((LAGS - 1 - (part.start - first), 0), (0, 0)), mode="edge")
    return np.concatenate([padded[lag : lag + len(part)] for lag in range(LAGS)], axis=1)


def _powers(values: Array) -> list[Array]:
    """The values and their squares, whose means give mean and variance."""
    wide = values.astype(np.float64)
    return [wide, wide**2]


def _some(table: Array, seed: int) -> Array:
    """At most 20,000 rows, drawn at random."""
    if len(table) <= FOREST_ROWS:
        return table
    return table[np.random.default_rng(seed).choice(len(table), FOREST_ROWS, replace=False)]
