"""Keeps settings that `evaluate` has tried: what they need is fitted anew, and the run is theirs from then on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import ConfigError
from rnnapps.verbs.configure import applied_groups
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.runs import begin_run

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["keep_settings", "require_keepable"]

AnyPipeline = Pipeline[Any, Any, Any]


def require_keepable(pipeline: AnyPipeline, model: OpenModel, changed: Iterable[str]) -> RunFolder:
    """The run that keeps settings.

    Args:
        pipeline: the application.
        model: a run, opened with the settings that are tried.
        changed: the dotted keys that were given.

    Raises:
        ConfigError: it is an export, there is nothing to keep, or something that a run does not let go.
    """
    groups = (applied_groups(pipeline) | pipeline.evaluate_tries) - {"data"}
    if model.folder is None:
        raise ConfigError(f"{model.path}: an export keeps its settings; keep others in its run, and export that again")
    if not groups:
        raise ConfigError(f"{pipeline.name} has no settings that evaluate tries and a run could keep; leave out --keep")
    wrong = sorted(key for key in changed if key.partition(".")[0] not in groups)
    if wrong:
        raise ConfigError(
            f"a run keeps settings of {', '.join(sorted(groups))}, fitted to its own data, and no other {wrong[0]}: "
            f"leave out --keep or --{wrong[0]}"
        )
    return model.folder


def keep_settings(pipeline: AnyPipeline, model: OpenModel, folder: RunFolder, splits: Splits) -> None:
    """Fits what the model's settings need to its held-out data, and writes both into the run.

    Weights come first and the configuration last; whoever opens a run whose process was stopped in between is told, for
    a pipeline that fits something knows what it was fitted with.

    Args:
        pipeline: the application.
        model: a run, opened with the settings that are to be kept.
        folder: of the run.
        splits: the run's own data.

    Raises:
        CheckpointError: another process trains in the folder, or it cannot be written.
    """
    from rnnapps.training.state import replace_best

    with folder.lock():
        if pipeline.calibrate(model.fitted, splits):
            replace_best(folder, model.fitted.network)
        begin_run(folder, pipeline, model.fitted.config, model.fitted.preprocessor)
