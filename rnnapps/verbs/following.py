"""The workers beside the first: they take from it what a training begins with, and compute their part of it."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs.agreement import hear_chief
from rnnapps.verbs.building import build_fitted, train_run
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.opening import number_format

if TYPE_CHECKING:
    from rnnapps.training.workers import Workers

__all__ = ["follow"]


def follow(
    pipeline: Pipeline[Any, Any, Any], config: Any, workers: Workers, *, given: Any
) -> tuple[Fitted[Any, Any], Any, Any]:
    """Trains as one of the workers that are not the first.

    Args:
        pipeline: the application.
        config: its settings, those of the chief.
        workers: all of them.
        given: examples from Python instead of those of `data.source`.

    Returns:
        The model with its last weights, the data, and what `rnnapps.training.loop.train` returns.

    Raises:
        RnnappsError: of the kind that fits: settings or data are not those of the chief, another worker has ended.
    """
    import keras

    from rnnapps.training.finetune import freeze
    from rnnapps.training.run import RunFolder

    with tempfile.TemporaryDirectory(prefix="rnnapps-worker-") as scratch, number_format(config.training.precision):
        splits = read_examples(pipeline, config, given)
        keras.utils.set_random_seed(config.seed)
        told = hear_chief(workers, pipeline, config, splits)
        fitted, objective = build_fitted(pipeline, config, told.preprocessor, splits)
        freeze(fitted.network, told.frozen)
        facts = train_run(
            RunFolder(scratch), fitted, objective, splits, resume="the same command on all workers", workers=workers
        )
    return fitted, splits, facts
