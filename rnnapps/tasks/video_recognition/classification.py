"""Accuracy, recall and confusion of probabilities over classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.types import Array

__all__ = ["classification_metrics", "confusion_matrix", "likeliest", "recall_by_class"]

TOP = 5


def classification_metrics(probabilities: Array, targets: Array, *, item: str = "example") -> dict[str, float]:
    """Figures of a classifier.

    Args:
        probabilities: `(examples, classes)`.
        targets: the true class of each, int `(examples,)`.
        item: what an example is, for the name of the likelihood.

    Returns:
        `accuracy`; `top_5_accuracy` where there are more than five classes (of classes with the same probability the
        first ones count as more likely); `mean_recall` over the classes that occur; `nats_per_<item>`, the mean
        negative log-likelihood.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    hits = order == np.asarray(targets)[:, None]
    metrics = {"accuracy": float(hits[:, 0].mean())}
    if probabilities.shape[1] > TOP:
        metrics["top_5_accuracy"] = float(hits[:, :TOP].any(axis=1).mean())
    recalls = recall_by_class(confusion_matrix(order[:, 0], targets, probabilities.shape[1]))
    likelihood = np.take_along_axis(probabilities, np.asarray(targets)[:, None], axis=1)
    nats = float(-np.log(np.maximum(likelihood, 1e-12)).mean())
    return metrics | {"mean_recall": float(np.nanmean(recalls)), f"nats_per_{item}": nats}


def likeliest(probabilities: Array) -> Array:
    """The class that each example is taken for, of equally likely ones the first, int `(examples,)`."""
    classes: Array = probabilities.argmax(axis=1)
    return classes


def confusion_matrix(expected: Sequence[int] | Array, targets: Sequence[int] | Array, classes: int) -> Array:
    """How often examples of each class (row) were taken for each class (column), int64 `(classes, classes)`."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (np.asarray(targets), np.asarray(expected)), 1)
    return matrix


def recall_by_class(matrix: Array) -> Array:
    """Share of the examples of each class that were recognised `(classes,)`; NaN for classes that do not occur."""
    counts = matrix.sum(axis=1)
    return np.where(counts > 0, np.diag(matrix) / np.maximum(counts, 1), np.nan)
