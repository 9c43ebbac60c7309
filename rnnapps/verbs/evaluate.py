"""Evaluates: the task's metrics on held-out data, beside its baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.verbs import reporting
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.runs import save_evaluation

__all__ = ["evaluate"]


def evaluate(
    pipeline: Pipeline[Any, Any, Any], model: OpenModel, splits: Splits, *, switches: Sequence[str] = (), keep: bool
) -> Evaluation:
    """Scores a model.

    Args:
        pipeline: the application.
        model: a run or an export.
        splits: the data.
        switches: names of the pipeline's `evaluation_switches` that are on.
        keep: it is the run's own data and settings: the result goes into the run folder, its report and later cards.
    """
    import keras

    keras.utils.set_random_seed(model.fitted.config.seed)  # baselines that are trained are the same each time
    score: Callable[..., Evaluation] = pipeline.evaluate
    evaluation = score(model.fitted, splits, **dict.fromkeys(switches, True))
    if keep and model.folder is not None and not switches:
        save_evaluation(model.folder, evaluation)
        reporting.refresh_report(pipeline, model, splits, pipeline.objective(model.fitted, splits))
    return evaluation
