"""What a training begins with: preprocessor, network and objective of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.verbs.opening import load_preprocessor

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["build_run"]

AnyPipeline = Pipeline[Any, Any, Any]


def build_run(
    pipeline: AnyPipeline, config: Any, folder: RunFolder, *, splits: Splits, origin: Mapping[str, Any] | None = None
) -> tuple[Fitted[Any, Any], Objective]:
    """Preprocessor and network of a run, with the weights that its seed begins with, and what is trained.

    Args:
        pipeline: the application.
        config: the settings.
        folder: the run folder; its preprocessor is loaded if the run has begun.
        splits: the data.
        origin: what a run that is fine-tuned was begun from.
    """
    import keras

    keras.utils.set_random_seed(config.seed)
    preprocessor = _preprocessor(pipeline, config, folder, splits=splits, origin=origin)
    fitted = Fitted(config, preprocessor, pipeline.build_model(config, preprocessor))
    objective = pipeline.objective(fitted, splits)
    objective.batches(0)  # says now whether the data suffice for a batch: a run, once begun, keeps its settings
    return fitted, objective


def _preprocessor(
    pipeline: AnyPipeline, config: Any, folder: RunFolder, *, splits: Splits, origin: Mapping[str, Any] | None
) -> Any:
    """That of the run; for a new run, the source's grown by the new data, or a fitted one."""
    if folder.config_path.exists():
        return load_preprocessor(pipeline, folder.path)
    if origin:
        return pipeline.grow_preprocessor(config, load_preprocessor(pipeline, Path(origin["from"])), splits)
    return pipeline.fit_preprocessor(config, splits)
