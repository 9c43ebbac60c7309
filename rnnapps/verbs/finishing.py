"""What is made of a run's states after its last update: the mean of several, or a model trained anew on all rows."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from rnnapps.training.run import RunFolder

__all__ = ["finish", "require_refittable"]

AnyPipeline = Pipeline[Any, Any, Any]

UNJUDGED = "updates_alone"
"""The metric of a training that nothing is held out from."""


def require_refittable(pipeline: AnyPipeline, config: Any, splits: Any) -> None:
    """Raises ConfigError, before any training, where there is to be a refit and cannot be one."""
    if config.training.refit and pipeline.with_validation(splits) is None:
        raise ConfigError(f"training.refit: {pipeline.name} cannot learn from its validation rows too; leave it out")


def finish(
    pipeline: AnyPipeline,
    fitted: Fitted[Any, Any],
    folder: RunFolder,
    *,
    splits: Any,
    objective: Objective,
    prepare: Callable[[Fitted[Any, Any]], object],
) -> Mapping[str, Any]:
    """Leaves in the network, and in the run as its best, what the settings ask for beyond the best state.

    Nothing of the states that training goes on from is changed. A process that is ended in between is followed by one
    that ends bit for bit as it would have.

    Args:
        pipeline: the application.
        fitted: the model, with whatever weights.
        folder: its run, whose training has ended.
        splits: its data.
        objective: of these.
        prepare: gives a fresh network what the run's own began with, such as the weights of another model.

    Returns:
        What was made, by name, for a person.
    """
    from rnnapps.training.final import final_facts
    from rnnapps.training.state import newest_metadata, restore_best

    training, metadata = fitted.config.training, newest_metadata(folder)
    wanted = {"average_states": training.average_states, "averaged": training.averaged, "refit": training.refit}
    made = final_facts(folder, metadata)
    if made is not None and all(made.get(name) == value for name, value in wanted.items()):
        restore_best(folder, fitted.network)
        return made["told"]  # type: ignore[no-any-return]
    shutil.rmtree(folder.final_dir, ignore_errors=True)
    restore_best(folder, fitted.network)
    if training.refit:
        return _refit(pipeline, fitted, folder, splits=splits, prepare=prepare, metadata=metadata, wanted=wanted)
    if training.average_states:
        return _average(fitted.network, folder, objective, metadata=metadata, wanted=wanted)
    return {}


def _average(
    network: keras.Model,
    folder: RunFolder,
    objective: Objective,
    *,
    metadata: Mapping[str, Any],
    wanted: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The mean of the kept states, where it validates better than the best of them."""
    from rnnapps.training.final import load_mean, save_final
    from rnnapps.training.state import restore_best

    steps, best = [step for step, _ in metadata["kept"]], metadata["best_value"]
    if len(steps) < 2:
        return {}
    load_mean(folder, network, steps)
    value = float(objective.validate()[objective.metric])
    better = value > best if objective.higher_is_better else value < best
    told = f"the mean of the {wanted['averaged']} {len(steps)} states has a {objective.metric} of {value:.5g}"
    print(f"{told}, the best of them {best:.5g}: {'it' if better else 'that one'} is kept", file=sys.stderr)
    if not better:
        restore_best(folder, network)
        return {}
    facts = {"averaged_states": len(steps), objective.metric: value}
    save_final(folder, network, {**wanted, "told": facts}, metadata=metadata)
    return facts


def _refit(
    pipeline: AnyPipeline,
    fitted: Fitted[Any, Any],
    folder: RunFolder,
    *,
    splits: Any,
    prepare: Callable[[Fitted[Any, Any]], object],
    metadata: Mapping[str, Any],
    wanted: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Trains on all rows for as many updates as the best state had, and takes what was learned of that."""
    from rnnapps.training.final import save_final
    from rnnapps.training.finetune import is_statistic
    from rnnapps.training.loop import train
    from rnnapps.training.pause import Pause
    from rnnapps.training.state import load_weights

    best_step, network = metadata["best_step"], fitted.network
    config = dataclasses.replace(fitted.config.training, patience=0, tensorboard=False, track=(), average_states=0)
    again = _begun_anew(pipeline, fitted, prepare)
    whole: Any = pipeline.with_validation(splits)
    run = _refit_folder(folder, best_step)
    print(f"training anew on all rows, for the {best_step:,} updates of the best state", file=sys.stderr)
    train(
        run,
        again.network,
        _unjudged(pipeline.objective(again, whole)),
        config,
        seed=fitted.config.seed,
        fingerprint={"data": whole.digest(), "best_step": best_step},
        pause=Pause(best_step),
        resume_command=f"rnnapps {pipeline.name} train --run {folder.path}",
    )
    load_weights(run, again.network, which="last")
    for own, learned in zip(network.weights, again.network.weights, strict=True):
        if learned.trainable or is_statistic(learned):
            own.assign(learned)
    facts = {"refit_updates": best_step}
    save_final(folder, network, {**wanted, "told": facts}, metadata=metadata)
    return facts


def _unjudged(objective: Objective) -> Objective:
    """An objective without validation: nothing is held out from it."""
    return dataclasses.replace(objective, validate=lambda: {UNJUDGED: 0.0}, metric=UNJUDGED, samples=list)


def _begun_anew(
    pipeline: AnyPipeline, fitted: Fitted[Any, Any], prepare: Callable[[Fitted[Any, Any]], object]
) -> Fitted[Any, Any]:
    """The model as it was before its first update."""
    import keras

    keras.utils.set_random_seed(fitted.config.seed)
    again = Fitted(fitted.config, fitted.preprocessor, pipeline.build_model(fitted.config, fitted.preprocessor))
    prepare(again)
    return again


def _refit_folder(folder: RunFolder, best_step: int) -> RunFolder:
    """The run within the run; begun afresh where an earlier one was for another step."""
    from rnnapps.errors import CheckpointError
    from rnnapps.training.run import RunFolder as Folder
    from rnnapps.training.state import newest_metadata

    run = Folder(folder.refit_dir)
    try:
        known = newest_metadata(run)["fingerprint"].get("best_step")
    except CheckpointError:
        known = None
    if known != best_step:
        shutil.rmtree(run.path, ignore_errors=True)
    return run
