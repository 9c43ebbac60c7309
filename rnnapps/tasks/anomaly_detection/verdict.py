"""The evaluation of a detector: its metrics beside those of its baselines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.contract.evaluation import MODEL, Comparison
from rnnapps.data.series.series import SeriesPart, SplitSeries
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.alarms import alarm_figures
from rnnapps.tasks.anomaly_detection.boosting import classifier_baselines, ranking_metrics
from rnnapps.tasks.anomaly_detection.comparison import compare_rankings
from rnnapps.tasks.anomaly_detection.data.known_faults import days_of
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.evaluate import flagged_share, has_labels, judge_parts, labels_of
from rnnapps.tasks.anomaly_detection.judge import event_metrics, kind_recalls
from rnnapps.tasks.anomaly_detection.metrics import MOST_ALERTS, entity_precision
from rnnapps.tasks.anomaly_detection.metrics.point_adjusted import WARNING
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.tasks.anomaly_detection.promise import promised_alarms
from rnnapps.tasks.anomaly_detection.tuned_baselines import judge_by_baselines
from rnnapps.types import Array

__all__ = ["Verdict", "judge_classifier", "judge_detector"]


PROMISED = "false_alarms_promised"


class Verdict(NamedTuple):
    """How good a detector is; the fields are those of `pipeline.Evaluation`.

    Attributes:
        metrics: of the model.
        baselines: of each baseline.
        examples: scored rows.
        split: "test" or "validation".
        diagnostics: further figures.
        comparison: average precision in parts; None without labels.
    """

    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    examples: int
    split: str
    diagnostics: Mapping[str, float | str]
    comparison: Comparison | None = None


def judge_detector(
    runner: PartRunner, parts: SplitSeries, config: DetectionConfig, *, kinds: Sequence[str], seed: int
) -> Verdict:
    """Event metrics where faults are labelled; else how much is flagged.

    Args:
        runner: runs the calibrated network.
        parts: all splits; the test is judged, or the validation where there is no test.
        config: the settings.
        kinds: names of the kinds of faults that labels number.
        seed: of the baselines.
    """
    split, tested = _tested(parts)
    judged, rows = judge_parts(runner, tested, config), runner.stream.rows
    examples = sum(map(len, tested))
    promised: dict[str, float | str] = {PROMISED: promised_alarms(runner, parts.validation, config).words()}
    promised |= alarm_figures(judged, row_seconds=rows.row_seconds)
    if not has_labels(tested):
        return Verdict(flagged_share(judged), {}, examples, split, promised)
    metrics, figures = event_metrics(judged, row_seconds=rows.row_seconds)
    others = judge_by_baselines(parts, tested, rows, config, seed=seed)
    measured = {name: event_metrics(own, row_seconds=rows.row_seconds) for name, (_, own) in others.items()}
    baselines = {name: own for name, (own, _) in measured.items()}
    shares = {f"flagged_share_of_{name}": more["flagged_share"] for name, (_, more) in measured.items()}
    print(f"note: {WARNING}", file=sys.stderr)
    scores = {MODEL: judged, **{name: own for name, (_, own) in others.items()}}
    truths = [np.zeros(len(part.scores), bool) if part.labels is None else part.labels > 0 for part in judged]
    ranked = {name: [part.scores for part in own] for name, own in scores.items()}
    comparison = compare_rankings("auc_pr", truths, ranked, pooled=False)
    tuned = {f"rows_seen_by_{name}": float(length) for name, (length, _) in others.items() if length > 1}
    diagnostics = {**promised, **figures, **shares, **kind_recalls(judged, kinds), **tuned}
    return Verdict(metrics, baselines, examples, split, diagnostics, comparison)


def judge_classifier(runner: PartRunner, parts: SplitSeries, *, seed: int) -> Verdict:
    """Rankings of labelled rows.

    Raises:
        DataError: the judged rows are all of one kind.
    """
    split, tested = _tested(parts)
    flags = runner.flags(tested, explain=False)
    scores = np.concatenate([np.asarray(own.score) for own in flags])
    flagged = np.concatenate([own.flag for own in flags])
    labels = labels_of(tested)
    judged = labels >= 0
    if not (labels > 0).any() or not (labels == 0).any():
        problem = (
            f"the {split} rows hold {int((labels > 0).sum()):,} faults and {int((labels == 0).sum()):,} normal rows"
        )
        raise DataError(tested[0].series.source, problem, "a classifier is measured on both; use another split")
    hits = int((flagged & (labels > 0)).sum())
    figures = {
        "labelled_faults": float((labels > 0).sum()),
        "flagged_rows": float(flagged[judged].sum()),
        "precision_at_threshold": hits / max(int(flagged[judged].sum()), 1),
        "recall_at_threshold": hits / int((labels > 0).sum()),
    }
    others = classifier_baselines(parts.train, parts.validation, tested, seed=seed)
    ranked = {MODEL: scores, **others}
    measured = {name: ranking_metrics(labels, own) for name, own in ranked.items()}
    for name, precision in _entity_precisions(tested, labels, ranked).items():
        measured[name][f"entity_precision_at_{MOST_ALERTS}"] = precision
    comparison = _compared(tested, labels, ranked)
    return Verdict(measured.pop(MODEL), measured, int(judged.sum()), split, figures, comparison)


def _entity_precisions(tested: Sequence[SeriesPart], labels: Array, scores: Mapping[str, Array]) -> dict[str, float]:
    """How many of a day's entities that rank highest are faulty; nothing where they are few, or rows have no times."""
    if any(part.series.times is None for part in tested):
        return {}
    judged = labels >= 0
    days = np.concatenate([days_of(part.rows()) for part in tested])[judged]
    entities = np.repeat(np.arange(len(tested)), [len(part) for part in tested])[judged]
    found = {name: entity_precision(days, entities, labels[judged] > 0, own[judged]) for name, own in scores.items()}
    return {name: precision for name, precision in found.items() if not np.isnan(precision)}


def _compared(tested: Sequence[SeriesPart], labels: Array, scores: Mapping[str, Array]) -> Comparison:
    """Scores of all rows, one part behind the other, in parts again; rows of label -1 are left out."""
    stops = np.cumsum([len(part) for part in tested])[:-1]
    kept = [own >= 0 for own in np.split(labels, stops)]
    truths = [own[mine] > 0 for own, mine in zip(np.split(labels, stops), kept, strict=True)]
    ranked = {
        name: [part[mine] for part, mine in zip(np.split(own, stops), kept, strict=True)]
        for name, own in scores.items()
    }
    return compare_rankings("average_precision", truths, ranked, pooled=True)


def _tested(parts: SplitSeries) -> tuple[str, Sequence[SeriesPart]]:
    """The split that is judged, and its name."""
    return ("test", parts.test) if parts.test else ("validation", parts.validation)
