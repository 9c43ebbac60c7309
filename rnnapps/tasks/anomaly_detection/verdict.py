"""The evaluation of a detector: its metrics beside those of its baselines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.data.series.series import SeriesPart, SplitSeries
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.boosting import classifier_baselines, ranking_metrics
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.evaluate import flagged_share, has_labels, judge_parts, labels_of
from rnnapps.tasks.anomaly_detection.judge import event_metrics, kind_recalls
from rnnapps.tasks.anomaly_detection.metrics.point_adjusted import WARNING
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.tasks.anomaly_detection.promise import promised_alarms
from rnnapps.tasks.anomaly_detection.tuned_baselines import judge_by_baselines

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
    """

    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    examples: int
    split: str
    diagnostics: Mapping[str, float | str]


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
    promised = {PROMISED: promised_alarms(runner, parts.validation, config).words()}
    if not has_labels(tested):
        return Verdict(flagged_share(judged), {}, examples, split, promised)
    metrics, figures = event_metrics(judged, row_seconds=rows.row_seconds)
    others = judge_by_baselines(parts, tested, rows, config, seed=seed)
    baselines = {name: event_metrics(own, row_seconds=rows.row_seconds)[0] for name, (_, own) in others.items()}
    print(f"note: {WARNING}", file=sys.stderr)
    return Verdict(metrics, baselines, examples, split, {**promised, **figures, **kind_recalls(judged, kinds)})


def judge_classifier(runner: PartRunner, parts: SplitSeries, *, seed: int) -> Verdict:
    """Rankings of labelled rows.

    Raises:
        DataError: the judged rows are all of one kind.
    """
    split, tested = _tested(parts)
    flags = runner.flags(tested, explain=False)
    scores = np.concatenate([own.score for own in flags])
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
    baselines = classifier_baselines(parts.train, tested, seed=seed)
    return Verdict(ranking_metrics(labels, scores), baselines, int(judged.sum()), split, figures)


def _tested(parts: SplitSeries) -> tuple[str, Sequence[SeriesPart]]:
    """The split that is judged, and its name."""
    return ("test", parts.test) if parts.test else ("validation", parts.validation)
