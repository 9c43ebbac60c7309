"""Rankings of rows in parts that can be drawn again: what tells a better detector from a lucky one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from rnnapps.contract.evaluation import Comparison
from rnnapps.metrics.parts import means, ratio
from rnnapps.tasks.anomaly_detection.metrics import average_precision, intervals
from rnnapps.types import Array

__all__ = ["compare_rankings", "event_segments"]

ENOUGH_SERIES = 20
"""Labelled series that are parts of their own; of fewer, the stretches around their events are."""

EDGES = 512
"""Thresholds of a precision-recall curve, spread evenly over the scores of anomalous rows."""


def compare_rankings(
    metric: str, truths: Sequence[Array], scores: Mapping[str, Sequence[Array]], *, pooled: bool
) -> Comparison:
    """The average precision of a model and of its baselines, in parts.

    Args:
        metric: its name among the metrics.
        truths: labels of each series, bool `(rows,)`, True where anomalous.
        scores: of the model and of baselines by name: those of each series `(rows,)`.
        pooled: rank the rows of all series together; else each labelled series is ranked by itself and they are
            averaged.
    """
    labelled = [number for number, truth in enumerate(truths) if pooled or truth.any()]
    kept = [truths[number] for number in labelled]
    own = {name: [np.asarray(series[number]) for number in labelled] for name, series in scores.items()}
    if not pooled and len(kept) >= ENOUGH_SERIES:
        statistics = {
            name: means(np.array([average_precision(*pair) for pair in zip(kept, series, strict=True)]))
            for name, series in own.items()
        }
        return Comparison(metric, statistics, ratio, "series")
    if pooled and len(kept) >= ENOUGH_SERIES:
        parts, part = [np.full(len(truth), number) for number, truth in enumerate(kept)], "series"
    else:
        parts, part = _numbered([event_segments(truth) for truth in kept]), "stretches with a labelled event each"
    ranked = [np.zeros(len(truth), int) if pooled else np.full(len(truth), n) for n, truth in enumerate(kept)]
    table = {name: _curves(kept, series, parts, ranked) for name, series in own.items()}
    return Comparison(metric, table, _mean_precision, part)


def event_segments(truth: Array) -> Array:
    """Cuts a series in the middle between labelled events: number of the segment of each row, int `(rows,)`."""
    events = intervals(truth)
    cuts = [(last + first + 1) // 2 for (_, last), (first, _) in itertools.pairwise(events)]
    segments: Array = np.searchsorted(np.array(cuts, int), np.arange(len(truth)), side="right")
    return segments


def _numbered(segments: Sequence[Array]) -> list[Array]:
    """Segments of series numbered on from those of the series before."""
    firsts = np.cumsum([0, *(int(own.max(initial=-1)) + 1 for own in segments)])
    return [own + first for own, first in zip(segments, firsts, strict=False)]


def _curves(truths: Sequence[Array], scores: Sequence[Array], parts: Sequence[Array], ranked: Sequence[Array]) -> Array:
    """Anomalous rows, and all rows, at or above each edge, of each part `(parts, rankings * 2 * edges)`.

    The edges are scores of anomalous rows, the highest first: between them precision and recall say nothing new.
    """
    truth, score, part, ranking = (np.concatenate(columns) for columns in (truths, scores, parts, ranked))
    rankings = int(ranking.max()) + 1
    table = np.zeros((int(part.max()) + 1, rankings, 2, EDGES))
    for number in range(rankings):
        mine = ranking == number
        positive = np.sort(score[mine & truth])[::-1]
        edges = positive[np.round(np.linspace(0, len(positive) - 1, EDGES)).astype(int)]
        # The first edge that a row reaches; from there on it counts.
        first = np.searchsorted(-edges, -score[mine], side="left")
        for kind, counted in enumerate((truth[mine], np.ones(int(mine.sum()), bool))):
            reached = counted & (first < EDGES)
            np.add.at(table[:, number, kind], (part[mine][reached], first[reached]), 1)
    return table.cumsum(axis=-1).reshape(len(table), -1)


def _mean_precision(sums: Array) -> Array:
    """The mean average precision of rankings, from their curves; those without an anomalous row are left out."""
    curves = sums.reshape(*sums.shape[:-1], -1, 2, EDGES)
    found, flagged = curves[..., 0, :], curves[..., 1, :]
    gained = np.diff(found, axis=-1, prepend=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(flagged > 0, found / flagged, 0.0)
        areas = (gained * precision).sum(axis=-1) / found[..., -1]
    known = np.isfinite(areas)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Array = np.where(known, areas, 0).sum(axis=-1) / known.sum(axis=-1)
    return mean
