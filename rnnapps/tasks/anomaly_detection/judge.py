"""From the scores of whole series to events, and from events and labels to metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.dynamic_threshold import DynamicThreshold, detect_dynamic
from rnnapps.tasks.anomaly_detection.metrics import (
    EventCounts,
    Interval,
    average_precision,
    composite_f1,
    count_events,
    detection_delays,
    false_alarms_per_day,
    intervals,
    point_adjusted_f1,
    vus_pr,
)
from rnnapps.types import Array

__all__ = ["Judged", "event_metrics", "find_events", "kind_recalls"]

LARGEST_BUFFER = 200


@dataclass(frozen=True)
class Judged:
    """One series with scores.

    Attributes:
        name: of the series.
        scores: `(rows,)`.
        threshold: score above which a row is flagged, as calibrated.
        values: watched channels, scaled `(rows, targets)`, 0 where missing.
        labels: int32 `(rows,)`, 0 normal, above 0 a fault of that kind; None without labels.
        contribution: share of each channel `(rows, targets)`; None where unknown.
        events: flagged events.
        missing: bool `(rows, channels)`, True where a channel is silent for unusually long; None where unknown.
        silent: bool `(rows,)`, True where all channels together are; None where unknown.
        raised: thresholds of the rows `(rows,)` where a budget of alarms raises them; None without a budget.
    """

    name: str
    scores: Array
    threshold: float
    values: Array
    labels: Array | None
    contribution: Array | None
    events: tuple[Interval, ...]
    missing: Array | None = None
    silent: Array | None = None
    raised: Array | None = None

    def thresholds(self) -> Array:
        """The threshold of each row `(rows,)`."""
        return np.full(len(self.scores), self.threshold) if self.raised is None else self.raised

    def flags(self) -> Array:
        """Bool `(rows,)`, True within a flagged event."""
        flags = np.zeros(len(self.scores), bool)
        for first, last in self.events:
            flags[first : last + 1] = True
        return flags


def find_events(
    scores: Array, threshold: float | Array, values: Array, config: DetectionConfig, *, unsettled_rows: int = 0
) -> tuple[Interval, ...]:
    """The flagged events of a series.

    Args:
        scores: `(rows,)`.
        threshold: that of the held-out scores, or that of each row `(rows,)`.
        values: watched channels in the unit of the scores `(rows, targets)`, for the dynamic threshold.
        config: the settings.
        unsettled_rows: first rows, which say nothing yet.
    """
    over = (scores > threshold)[unsettled_rows:]
    scores, values = scores[unsettled_rows:], values[unsettled_rows:]
    if not len(scores):
        return ()
    if config.threshold == "dynamic":
        settings = DynamicThreshold(
            window_steps=config.dynamic_window_steps,
            stride_steps=config.dynamic_stride_steps,
            buffer_steps=config.dynamic_buffer_steps,
            pruning=config.pruning,
            smallest_share=0.0 if config.normalise else 0.05,
            floor=float(np.max(threshold)),
        )
        events = detect_dynamic(scores, values.mean(axis=1), settings)
    else:
        events = _joined(intervals(over), config.join_steps)
    return tuple((first + unsettled_rows, last + unsettled_rows) for first, last in events)


def _joined(events: Sequence[Interval], join_steps: int) -> list[Interval]:
    """Events with at most `join_steps` rows between them become one."""
    joined: list[Interval] = []
    for first, last in events:
        if joined and first - joined[-1][1] - 1 <= join_steps:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def event_metrics(judged: Sequence[Judged], *, row_seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics of labelled series, and further figures.

    AUC-PR and VUS-PR are those of each series with labelled rows, averaged; they need no threshold and come first.
    A detector that flags everything has the best scores of events, so a composite F1 stands beside them, which counts
    rows flagged in vain, and the share of rows flagged among the further figures.

    Args:
        judged: series with labels.
        row_seconds: time from one row to the next; 0 when unknown.
    """
    counts, delays, rows = EventCounts(), [], 0
    areas, volumes, adjusted = [], [], []
    for series in judged:
        truth = series.labels > 0 if series.labels is not None else np.zeros(len(series.scores), bool)
        labelled = intervals(truth)
        counts += count_events(labelled, series.events)
        delays += detection_delays(labelled, series.events)
        rows += len(truth)
        if labelled:
            typical = int(np.median([last - first + 1 for first, last in labelled]))
            areas.append(average_precision(truth, series.scores))
            volumes.append(vus_pr(truth, series.scores, largest_buffer=min(typical, LARGEST_BUFFER)))
        adjusted.append((truth, series.flags()))
    truths, flags = (np.concatenate(columns) for columns in zip(*adjusted, strict=True))
    metrics = {
        "auc_pr": _mean(areas),
        "vus_pr": _mean(volumes),
        "composite_f1": composite_f1(truths, flags),
        "event_f05": counts.f_score(0.5),
        "event_precision": counts.precision,
        "event_recall": counts.recall,
        "delay_rows": _mean(delays),
        "false_alarms_per_day": false_alarms_per_day(counts.false_positives, rows, row_seconds=row_seconds),
    }
    metrics = {name: value for name, value in metrics.items() if np.isfinite(value)}
    figures = {
        "events_found": float(counts.true_positives),
        "events_missed": float(counts.false_negatives),
        "false_events": float(counts.false_positives),
        "flagged_share": float(flags.mean()) if len(flags) else 0.0,
        "labelled_share": float(truths.mean()) if len(truths) else 0.0,
        "point_adjusted_f1_not_for_comparison": point_adjusted_f1(truths, flags),
    }
    return metrics, figures


def kind_recalls(judged: Sequence[Judged], kinds: Sequence[str]) -> dict[str, float]:
    """Share of the labelled events of each kind that were found."""
    recalls = {}
    for number, kind in enumerate(kinds, start=1):
        counts = EventCounts()
        for series in judged:
            if series.labels is not None:
                counts += count_events(intervals(series.labels == number), series.events)
        if counts.true_positives + counts.false_negatives:
            recalls[f"recall_of_{kind.replace(' ', '_')}"] = counts.recall
    return recalls


def _mean(values: Sequence[float]) -> float:
    """NaN of nothing."""
    return float(np.mean(values)) if values else float("nan")
