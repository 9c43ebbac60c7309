"""Evaluates: the task's metrics on held-out data, beside its baselines."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.verbs import reporting
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.runs import save_evaluation

__all__ = ["evaluate", "score"]


def evaluate(
    pipeline: Pipeline[Any, Any, Any],
    model: OpenModel,
    splits: Splits,
    *,
    switches: Sequence[str] = (),
    note: str = "",
    keep: bool,
) -> Evaluation:
    """Scores a model.

    Args:
        pipeline: the application.
        model: a run or an export.
        splits: the data.
        switches: names of the pipeline's `evaluation_switches` that are on.
        note: what a reader of the figures must know of the data.
        keep: it is the run's own data and settings: the result goes into the run folder, its report and later cards.
    """
    evaluation = dataclasses.replace(score(pipeline, model, splits, switches=switches), note=note)
    if keep and model.folder is not None and not switches:
        save_evaluation(model.folder, evaluation)
        reporting.refresh_report(pipeline, model, splits, pipeline.objective(model.fitted, splits))
    return evaluation


def score(
    pipeline: Pipeline[Any, Any, Any], model: OpenModel, splits: Splits, *, switches: Sequence[str] = ()
) -> Evaluation:
    """Scores a model, and says whether it beats its best baseline; nothing is kept. Arguments as in `evaluate`."""
    import keras

    from rnnapps.metrics.verdict import judge

    keras.utils.set_random_seed(model.fitted.config.seed)  # baselines that are trained are the same each time
    measure: Callable[..., Evaluation] = pipeline.evaluate
    evaluation = measure(model.fitted, splits, **dict.fromkeys(switches, True))
    verdict = judge(evaluation, higher_is_better=pipeline.higher_is_better)
    return dataclasses.replace(evaluation, verdict=verdict)
