"""The composite F-score: events found, weighed against rows flagged in vain."""

from __future__ import annotations

import numpy as np

from rnnapps.tasks.anomaly_detection.metrics.events import intervals
from rnnapps.types import Array

__all__ = ["composite_f1"]


def composite_f1(labels: Array, flags: Array) -> float:
    """F1 of the recall of events and the precision of rows.

    Recall is the share of labelled events that hold a flagged row; precision is the share of flagged rows that are
    labelled. A detector that flags everything finds every event, with the precision of a coin.

    Source: Garg et al. 2021, "An Evaluation of Anomaly Detection and Diagnosis in Multivariate Time Series", IEEE
    TNNLS 33(6), section IV-C, the composite F-score.

    Args:
        labels: bool `(time,)`, True where anomalous.
        flags: bool `(time,)`, True where flagged.

    Returns:
        From 0 to 1; nan without a label.
    """
    labels, flags = np.asarray(labels, bool), np.asarray(flags, bool)
    events = intervals(labels)
    if not events:
        return float("nan")
    recall = sum(bool(flags[first : last + 1].any()) for first, last in events) / len(events)
    precision = float((flags & labels).sum()) / max(int(flags.sum()), 1)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
