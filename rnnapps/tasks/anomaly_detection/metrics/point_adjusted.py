"""The point-adjusted F1, kept only for comparison with papers that report it."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.anomaly_detection.metrics.events import intervals
from rnnapps.types import Array

__all__ = ["WARNING", "point_adjusted_f1"]

WARNING = (
    "point-adjusted F1 counts a whole labelled event as found when a single row of it is flagged: random scores reach "
    "values near 1 where events are long (Kim et al. 2022, arXiv:2109.05257); compare by the other metrics"
)


def point_adjusted_f1(labels: Array, flags: Array) -> float:
    """F1 of rows after every labelled event with at least one flagged row was flagged whole. See `WARNING`.

    Args:
        labels: bool `(time,)`, True where anomalous.
        flags: bool `(time,)`, True where flagged.
    """
    labels, adjusted = np.asarray(labels, bool), np.array(flags, bool)
    for first, last in intervals(labels):
        adjusted[first : last + 1] |= adjusted[first : last + 1].any()
    hits = int((labels & adjusted).sum())
    total = int(labels.sum()) + int(adjusted.sum())
    return 2 * hits / total if total else 0.0
