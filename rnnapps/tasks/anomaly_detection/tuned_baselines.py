"""Baselines, tuned on validation rows, through the thresholds that the network's scores go through."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from rnnapps.data.series.series import SeriesPart, SplitSeries
from rnnapps.tasks.anomaly_detection.baselines import BASELINES, Baseline, Judge
from rnnapps.tasks.anomaly_detection.calibrate import calibrate, score_errors
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.evaluate import has_labels, judged_part, settled, unsettled_rows
from rnnapps.tasks.anomaly_detection.injected_faults import with_faults
from rnnapps.tasks.anomaly_detection.judge import Judged
from rnnapps.tasks.anomaly_detection.metrics import average_precision
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.types import Array

__all__ = ["judge_by_baselines"]

TUNING_PARTS = 4
TUNING_ROWS = 2000


def judge_by_baselines(
    parts: SplitSeries, tested: Sequence[SeriesPart], rows: SensorRows, config: DetectionConfig, *, seed: int
) -> dict[str, tuple[int, list[Judged]]]:
    """Each baseline's number of rows to look at, chosen on validation rows, and what it finds in the tested parts.

    The number is that with the highest average precision: on labelled faults among the validation rows, or, where there
    are none, on faults that are written into them.
    """
    trials = _trials(parts.validation, rows, seed)
    found = {}
    for name, baseline in BASELINES.items():
        length = _best_length(baseline, parts.train, trials, rows=rows, config=config, seed=seed)
        judge = baseline.learn(parts.train, rows, seed=seed, length=length)
        found[name] = length, _judge(baseline, judge, parts, tested, rows=rows, config=config)
    return found


def _judge(
    baseline: Baseline,
    judge: Judge,
    parts: SplitSeries,
    tested: Sequence[SeriesPart],
    *,
    rows: SensorRows,
    config: DetectionConfig,
) -> list[Judged]:
    """Parts judged by a baseline, with thresholds from the same rows as the network's."""
    scoring = baseline.settings(config)
    known = [*parts.validation, *(parts.train if config.threshold == "dynamic" else ())]
    values = calibrate([settled(series, config) for series in judge(known)], len(rows.series) + 1, scoring)
    judged = []
    for part, series in zip(tested, judge(tested), strict=True):
        scores, unsettled = score_errors(series, values, scoring)[0], unsettled_rows(part, config)
        scores[:unsettled] = 0.0
        threshold = float(values["threshold"][series.group])
        judged.append(judged_part(part, rows, scores, threshold=threshold, config=config, unsettled=unsettled))
    return judged


def _trials(validation: Sequence[SeriesPart], rows: SensorRows, seed: int) -> list[tuple[SeriesPart, SeriesPart]]:
    """Parts to tune on: healthy, and with labelled faults."""
    longest = sorted(validation, key=len, reverse=True)[:TUNING_PARTS]
    last = [dataclasses.replace(part, start=max(part.start, part.stop - TUNING_ROWS)) for part in longest]
    if has_labels(last):
        return [(part, part) for part in last]
    generator = np.random.default_rng(seed)
    return [(part, with_faults(part, rows, generator)) for part in last]


def _best_length(
    baseline: Baseline,
    train: Sequence[SeriesPart],
    trials: Sequence[tuple[SeriesPart, SeriesPart]],
    *,
    rows: SensorRows,
    config: DetectionConfig,
    seed: int,
) -> int:
    """The number of rows with the highest mean average precision on trials; the smaller of equals."""
    if len(baseline.lengths) == 1:
        return baseline.lengths[0]
    healthy, faulty = [part for part, _ in trials], [part for _, part in trials]
    truths = [_truth(part) for part in faulty]
    scoring, precisions = baseline.settings(config), []
    for length in baseline.lengths:
        judge = baseline.learn(train, rows, seed=seed, length=length)
        values = calibrate(judge(healthy), len(rows.series) + 1, scoring)
        scores = [score_errors(series, values, scoring)[0] for series in judge(faulty)]
        own = [average_precision(truth, score) for truth, score in zip(truths, scores, strict=True) if truth.any()]
        precisions.append(float(np.mean(own)) if own else 0.0)
    return baseline.lengths[int(np.argmax(precisions))]


def _truth(part: SeriesPart) -> Array:
    """Bool `(rows,)`, True where a fault is labelled."""
    labels = part.rows().labels
    return np.zeros(len(part), bool) if labels is None else labels > 0
