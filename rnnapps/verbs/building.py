"""What a training begins with, preprocessor, network and objective of a run; and the training itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import ConfigError
from rnnapps.verbs.agreement import tell_followers
from rnnapps.verbs.opening import load_preprocessor

if TYPE_CHECKING:
    from rnnapps.training.pause import Pause
    from rnnapps.training.run import RunFolder
    from rnnapps.training.workers import Workers

__all__ = ["build_fitted", "build_run", "train_run"]

AnyPipeline = Pipeline[Any, Any, Any]


def build_run(
    pipeline: AnyPipeline,
    config: Any,
    folder: RunFolder,
    *,
    splits: Splits,
    origin: Mapping[str, Any] | None = None,
    workers: Workers | None = None,
) -> tuple[Fitted[Any, Any], Objective]:
    """Preprocessor and network of a run, with the weights that its seed begins with, and what is trained.

    Args:
        pipeline: the application.
        config: the settings.
        folder: the run folder; its preprocessor is loaded if the run has begun.
        splits: the data.
        origin: what a run that is fine-tuned was begun from.
        workers: who are told of all this, as the chief has it; None for nobody.
    """
    import keras

    keras.utils.set_random_seed(config.seed)
    preprocessor = _preprocessor(pipeline, config, folder, splits=splits, origin=origin)
    if workers is not None and workers.count > 1:
        tell_followers(workers, config, splits, preprocessor=preprocessor, origin=origin)
    return build_fitted(pipeline, config, preprocessor, splits)


def build_fitted(
    pipeline: AnyPipeline, config: Any, preprocessor: Any, splits: Splits
) -> tuple[Fitted[Any, Any], Objective]:
    """Network of a run and what is trained; the seed has been set."""
    fitted = Fitted(config, preprocessor, pipeline.build_model(config, preprocessor))
    objective = pipeline.objective(fitted, splits)
    objective.batches(0)  # says now whether the data suffice for a batch: a run, once begun, keeps its settings
    return fitted, objective


def train_run(
    folder: RunFolder,
    fitted: Fitted[Any, Any],
    objective: Objective,
    splits: Splits,
    *,
    resume: str,
    progress: bool = True,
    pause: Pause | None = None,
    workers: Workers | None = None,
) -> dict[str, Any]:
    """Trains what `build_run` has built, or goes on; a run is the same, bit for bit, whoever trains it.

    Args:
        folder: the run folder.
        fitted: the model.
        objective: what is trained.
        splits: the data, which must be those that the run was begun with.
        resume: what to type to go on, where a signal stops it.
        progress: show progress on stderr.
        pause: where to rest before the end; None for nowhere.
        workers: who trains together; None for whoever trains in this process alone.

    Returns:
        As `rnnapps.training.loop.train`, which raises the errors too.

    Raises:
        ConfigError: the settings ask for several workers, but there are none.
    """
    from rnnapps.training.loop import train
    from rnnapps.training.workers import ALONE

    config = fitted.config
    if workers is None and config.training.strategy != "single":
        raise ConfigError(
            f"training.strategy {config.training.strategy} is for `train` and `finetune`; take single, and several "
            f"processes can share one search"
        )
    return train(
        folder,
        fitted.network,
        objective,
        config.training,
        seed=config.seed,
        fingerprint={"data": splits.digest()},
        when_changed={"data": _data_changed(config)},
        progress=progress,
        resume_command=resume,
        pause=pause,
        workers=workers or ALONE,
    )


def _data_changed(config: Any) -> str:
    source = getattr(config.data, "source", "its source")
    return (
        f"the data of this run (data.source {source}) have changed since it was begun: restore them to resume it, "
        f"or train on the new ones with another --run"
    )


def _preprocessor(
    pipeline: AnyPipeline, config: Any, folder: RunFolder, *, splits: Splits, origin: Mapping[str, Any] | None
) -> Any:
    """That of the run; for a new run, the source's grown by the new data, or a fitted one."""
    if folder.config_path.exists():
        return load_preprocessor(pipeline, folder.path)
    if origin:
        return pipeline.grow_preprocessor(config, load_preprocessor(pipeline, Path(origin["from"])), splits)
    return pipeline.fit_preprocessor(config, splits)
