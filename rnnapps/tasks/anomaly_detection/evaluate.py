"""A detector on held-out series: calibrated, scored, and beside its baselines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from rnnapps.data.series.series import SeriesPart, SplitSeries
from rnnapps.tasks.anomaly_detection.alarm_budget import budget_of, raised_thresholds
from rnnapps.tasks.anomaly_detection.calibrate import HeldOut, calibrate, fit_threshold, fit_widening
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.judge import Judged, find_events
from rnnapps.tasks.anomaly_detection.outages import outage_errors
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.types import Array

__all__ = [
    "calibrate_network",
    "flagged_share",
    "has_labels",
    "judge_parts",
    "judged_part",
    "labels_of",
    "settled",
    "unsettled_rows",
]

FEW_ROWS = 1000
"""Validation rows below which training rows have a say in thresholds."""


def has_labels(parts: Sequence[SeriesPart]) -> bool:
    """Whether any row is labelled as a fault."""
    own = [part.rows().labels for part in parts]
    return any(labels is not None and bool((labels > 0).any()) for labels in own)


def calibrate_network(runner: PartRunner, parts: SplitSeries, config: DetectionConfig) -> dict[str, float]:
    """Learns errors and thresholds on held-out rows and puts them into the network.

    Thresholds come from validation rows, and how they widen while a sensor is silent. The floor of the dynamic
    threshold comes from training rows too, since it says what has been seen in any normal row; so do the thresholds
    where there are fewer than 1,000 validation rows, which show one hour of a machine and not its day: they are not
    below what the training rows ask for.

    Returns:
        Figures of the validation rows: mean squared error of the scaled values, or nats per labelled row.
    """
    stream = runner.stream
    if stream.kind == "classifier":
        return _calibrate_classifier(runner, parts, config)
    held_out = runner.errors(parts.validation)
    normal = [(series.errors[series.normal], series.valid[series.normal]) for series in held_out]
    count = max(sum(float(valid.sum()) for _, valid in normal), 1.0)
    total = sum(float((np.square(errors, dtype=np.float64) * valid).sum()) for errors, valid in normal)
    seen = runner.errors(parts.train) if config.threshold == "dynamic" or _few(held_out) else []
    seen, held_out = ([settled(series, config) for series in own] for own in (seen, held_out))
    known, taught = (held_out + seen, []) if config.threshold == "dynamic" else (held_out, seen)
    values = calibrate(known, len(stream.rows.series) + 1, config, taught=taught)
    outages = [(sensor, settled(series, config)) for sensor, series in outage_errors(runner, parts.validation)]
    widening = fit_widening(outages, values, len(stream.rows.channels), config)
    stream.calibration.assign({**values, "widening": widening, "fitted_for": config.digest})
    return {"squared_error": total / count}


def _few(held_out: Sequence[HeldOut]) -> bool:
    """Whether there are too few normal rows to show what is usual."""
    return sum(int(series.normal.sum()) for series in held_out) < FEW_ROWS


def unsettled_rows(part: SeriesPart, config: DetectionConfig) -> int:
    """Rows at the start of a part before which there are too few others to judge them."""
    return min(max(config.warmup_steps - part.start, 0), len(part))


def settled(held_out: HeldOut, config: DetectionConfig) -> HeldOut:
    """Without the first rows, whose scores nobody gets to see."""
    normal = held_out.normal.copy()
    if len(normal) > 2 * config.warmup_steps:
        normal[: config.warmup_steps] = False
    return held_out._replace(normal=normal)


def _calibrate_classifier(runner: PartRunner, parts: SplitSeries, config: DetectionConfig) -> dict[str, float]:
    """Puts the threshold of the validation rows into the network; the figure is the mean of nats per labelled row."""
    flags = runner.flags(parts.validation, explain=False)
    labels = labels_of(parts.validation)
    scores = np.concatenate([own.score for own in flags]).astype(np.float64)
    judged = labels >= 0
    safe = np.clip(scores[judged], 1e-7, 1 - 1e-7)
    nats = -np.where(labels[judged] > 0, np.log(safe), np.log1p(-safe)).mean()
    threshold = fit_threshold(scores[labels == 0], config)
    values = runner.stream.calibration.threshold
    values.assign(np.full(values.shape, min(threshold, 1.0), np.float32))
    runner.stream.calibration.fitted_for.assign(config.digest)
    return {"nats_per_event": float(nats)}


def judge_parts(runner: PartRunner, parts: Sequence[SeriesPart], config: DetectionConfig) -> list[Judged]:
    """Scores, contributions and events of whole parts."""
    rows, judged = runner.stream.rows, []
    for part, flags in zip(parts, runner.flags(parts), strict=True):
        classifies = runner.stream.kind == "classifier"
        own = judged_part(
            part,
            rows,
            flags.score,
            threshold=runner.stream.calibrated_threshold(part.series.name),
            config=config,
            unsettled=0 if classifies else unsettled_rows(part, config),
            probabilities=classifies,
        )
        share, missing, silent = (np.asarray(told) for told in (flags.contribution, flags.missing, flags.silent))
        judged.append(dataclasses.replace(own, contribution=share, missing=missing, silent=silent))
    return judged


def judged_part(
    part: SeriesPart,
    rows: SensorRows,
    scores: Array,
    *,
    threshold: float,
    config: DetectionConfig,
    unsettled: int,
    probabilities: bool = False,
) -> Judged:
    """A part with its scores and the events in them; its first `unsettled` rows are in none.

    A budget of alarms is that of the part: it begins unspent, whatever came before.
    """
    own = part.rows()
    values = rows.scale_array(own.values, own.name)[0][:, rows.target_places]
    budget = budget_of(config, rows, probabilities=probabilities)
    raised = raised_thresholds(scores, threshold, budget) if budget else None
    limits = threshold if raised is None else raised
    events = find_events(scores, limits, values, config, unsettled_rows=unsettled)
    return Judged(own.name, scores, threshold, values, own.labels, None, events, raised=raised)


def flagged_share(judged: Sequence[Judged]) -> Mapping[str, float]:
    """What there is to say without labels."""
    rows = sum(len(series.scores) for series in judged)
    flagged = sum(last - first + 1 for series in judged for first, last in series.events)
    return {
        "flagged_events": float(sum(len(series.events) for series in judged)),
        "flagged_share": flagged / max(rows, 1),
    }


def labels_of(parts: Sequence[SeriesPart]) -> Array:
    """Labels of all rows of the parts, one part behind the other; -1 where there are none."""
    own = [part.rows() for part in parts]
    return np.concatenate([np.full(len(rows), -1, np.int32) if rows.labels is None else rows.labels for rows in own])
