"""VUS-PR: the volume under the surface of range-based precision-recall curves over all buffer lengths."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnnapps.tasks.anomaly_detection.metrics.events import Interval, intervals
from rnnapps.types import Array

__all__ = ["range_auc_pr", "vus_pr"]

THRESHOLDS = 250
"""Points of a curve, spread evenly over the ranked scores, as in the reference implementation of the paper."""


def vus_pr(labels: Array, scores: Array, *, largest_buffer: int) -> float:
    """The mean of `range_auc_pr` over the buffer lengths 0 to `largest_buffer`.

    It rewards scores that rise a little before or after a label, since labels are rarely exact to the row, and does
    not depend on a threshold.

    Source: Paparrizos et al. 2022, "Volume Under the Surface", PVLDB 15(11), sections 4.2 and 4.3.

    Args:
        labels: bool `(time,)`, True where anomalous.
        scores: higher is more anomalous `(time,)`.
        largest_buffer: rows, usually the length of a typical event or the period of the series.

    Returns:
        The volume, or nan without a label.
    """
    labels = np.asarray(labels, bool)
    if not labels.any():
        return float("nan")
    curve = _Ranking.of(scores)
    return float(np.mean([_area(labels, curve, buffer) for buffer in range(largest_buffer + 1)]))


def range_auc_pr(labels: Array, scores: Array, *, buffer_steps: int) -> float:
    """Area under the precision-recall curve of labels that fade out over a buffer on both sides of each event.

    With soft labels s, predictions p at a threshold and P = Σ(label + s)/2: precision is Σsp/Σp, recall
    min(Σsp/P, 1) times the share of events (with their buffers) that hold a prediction.

    Args:
        labels: bool `(time,)`, True where anomalous.
        scores: higher is more anomalous `(time,)`.
        buffer_steps: length l of the buffer in rows; half of it lies on each side.

    Returns:
        The area, or nan without a label.
    """
    labels = np.asarray(labels, bool)
    return _area(labels, _Ranking.of(scores), buffer_steps) if labels.any() else float("nan")


class _Ranking(NamedTuple):
    """Scores in descending order, and the thresholds of a curve: their values, and the rows at or above each."""

    scores: Array
    order: Array
    thresholds: Array
    flagged: Array

    @classmethod
    def of(cls, scores: Array) -> _Ranking:
        scores = np.asarray(scores, np.float64)
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        chosen = ranked[np.linspace(0, len(scores) - 1, min(THRESHOLDS, len(scores))).astype(int)]
        return cls(scores, order, chosen, np.searchsorted(-ranked, -chosen, side="right"))


def _area(labels: Array, ranking: _Ranking, buffer_steps: int) -> float:
    """`range_auc_pr` of scores that are ranked already."""
    soft = _soft_labels(labels, buffer_steps)
    hits = np.cumsum(soft[ranking.order])[ranking.flagged - 1]
    positives = (labels.sum() + soft.sum()) / 2
    # An event is found at a threshold that its highest score reaches: of sorted peaks, those right of the threshold.
    peaks = np.sort([ranking.scores[first : last + 1].max() for first, last in intervals(soft > 0)])
    existence = 1 - np.searchsorted(peaks, ranking.thresholds, side="left") / len(peaks)
    recall = np.concatenate([[0.0], np.minimum(hits / positives, 1) * existence])
    precision = np.concatenate([[1.0], hits / ranking.flagged])
    return float((np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum())


def _soft_labels(labels: Array, buffer_steps: int) -> Array:
    """1 in an event, sqrt(1 - d/l) at distance d <= l/2 from it, 0 elsewhere; overlapping buffers add up to 1."""
    soft = labels.astype(np.float64)
    for event in intervals(labels):
        _add_slopes(soft, event, buffer_steps)
    return np.minimum(soft, 1.0)


def _add_slopes(soft: Array, event: Interval, buffer_steps: int) -> None:
    """Adds the buffers of one event in place, as far as the series goes."""
    reach = buffer_steps // 2
    if not reach:
        return
    slope = np.sqrt(1 - np.arange(1, reach + 1) / buffer_steps)
    first, last = event
    before, after = min(reach, first), min(reach, len(soft) - 1 - last)
    soft[first - before : first] += slope[:before][::-1]
    soft[last + 1 : last + 1 + after] += slope[:after]
