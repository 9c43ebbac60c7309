"""Threshold-free metrics of anomaly scores: how well they rank anomalous rows above normal ones."""

from __future__ import annotations

import numpy as np

from rnnapps.types import Array

__all__ = ["area_under_roc", "average_precision"]


def average_precision(labels: Array, scores: Array) -> float:
    """AUC-PR: the mean precision over all recall steps, Σ (R_n - R_{n-1}) P_n; rows of equal score count together.

    Args:
        labels: bool `(rows,)`, True where anomalous.
        scores: higher is more anomalous `(rows,)`.

    Returns:
        The area, or nan without an anomalous row.
    """
    positives, flagged = _cumulated(labels, scores)
    if not positives[-1]:
        return float("nan")
    gained = np.diff(positives, prepend=0)
    return float((gained * positives / flagged).sum() / positives[-1])


def area_under_roc(labels: Array, scores: Array) -> float:
    """The probability that a random anomalous row scores above a random normal one; ties count half.

    Returns:
        The area, or nan when all rows are of one kind.
    """
    positives, flagged = _cumulated(labels, scores)
    negatives = flagged - positives
    if not positives[-1] or not negatives[-1]:
        return float("nan")
    x = np.concatenate([[0], negatives / negatives[-1]])
    y = np.concatenate([[0], positives / positives[-1]])
    return float(np.trapezoid(y, x))


def _cumulated(labels: Array, scores: Array) -> tuple[Array, Array]:
    """Anomalous rows, and all rows, at or above each distinct score, the highest first."""
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    ranked, truth = np.asarray(scores, np.float64)[order], np.asarray(labels, bool)[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return np.cumsum(truth)[ends].astype(np.float64), (ends + 1).astype(np.float64)
