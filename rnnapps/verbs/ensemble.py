"""Joins runs to one model, whose answers are the mean of theirs."""

from __future__ import annotations

import filecmp
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.export.manifest import ENSEMBLE
from rnnapps.verbs import reporting
from rnnapps.verbs.configure import configure, read_configuration
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.evaluate import score
from rnnapps.verbs.members import Member, find_members, join, members_text
from rnnapps.verbs.opening import OpenModel, is_run, load_preprocessor, number_format
from rnnapps.verbs.runs import begin_run, save_evaluation
from rnnapps.verbs.scored_data import trained_digest
from rnnapps.verbs.train import Trained

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["ensemble", "require_members"]

AnyPipeline = Pipeline[Any, Any, Any]


def ensemble(
    pipeline: AnyPipeline, paths: Sequence[Path], to: Path, *, given: Any = None, judged: bool = True
) -> Trained:
    """Writes a run whose network holds those of several runs, at their best steps.

    What is calibrated on held-out data, such as intervals or thresholds, is fitted to the joint answers. All that is
    said of how the model is applied is that of the first run.

    Args:
        pipeline: the application.
        paths: folders of the runs, two or more.
        to: the folder of the new run.
        given: their examples from Python instead of those of `data.source`.
        judged: evaluate it, for its report and card.

    Raises:
        ConfigError: the pipeline has no ensembles, or the runs cannot be one.
        CheckpointError: a folder is no run, or the new one exists.
    """
    from rnnapps.training.run import RunFolder
    from rnnapps.training.state import restore_best

    require_members(paths, to)
    configs = [configure(pipeline, read_configuration(pipeline, path), {}) for path in paths]
    folders = [RunFolder(path) for path in paths]
    _require_same_data(folders)
    splits = read_examples(pipeline, configs[0], given)
    if splits.digest() != trained_digest(folders[0]):
        raise ConfigError(f"{paths[0]}: its data have changed since it was trained, and what is calibrated needs them")
    import keras

    keras.utils.set_random_seed(configs[0].seed)
    with number_format("float32"):
        preprocessor = load_preprocessor(pipeline, paths[0])
        network, members = join(pipeline, configs, preprocessor)
    for folder, member in zip(folders, members, strict=True):
        restore_best(folder, member)
    model = OpenModel(to, Fitted(configs[0], preprocessor, network), RunFolder(to))
    objective = pipeline.objective(model.fitted, splits)
    named = [Member(str(path), config) for path, config in zip(paths, configs, strict=True)]
    return _kept(pipeline, model, splits, objective=objective, members=named, judged=judged)


def require_members(paths: Sequence[Path], to: Path) -> None:
    """Raises an error, unless several runs of equal preprocessing are named, and a new folder."""
    if len(set(paths)) < 2 or len(set(paths)) < len(paths):
        raise ConfigError("an ensemble is made of two runs or more, each named once")
    for path in paths:
        if not is_run(path):
            raise CheckpointError(
                f"{path}: not a run folder (it has no config.yaml); name runs that `train` has written"
            )
        if find_members(path) is not None:
            raise ConfigError(f"{path}: is an ensemble itself; name the runs that it was made of")
        _require_same_preprocessing(paths[0], path)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise CheckpointError(f"{to}: exists already; name a new folder with --to")


def _require_same_preprocessing(first: Path, other: Path) -> None:
    """Raises ConfigError for runs that read their inputs otherwise, or write other symbols."""
    from rnnapps.training.run import RunFolder

    here, there = (RunFolder(path).preprocessing_dir for path in (first, other))
    ours, theirs = (
        {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} for folder in (here, there)
    )
    _, changed, _ = filecmp.cmpfiles(here, there, sorted(ours & theirs), shallow=False)
    if differing := sorted({*changed} | (ours ^ theirs)):
        raise ConfigError(
            f"{other}: its preprocessing ({differing[0]}: vocabulary, classes, scales...) is not that of {first}; "
            f"only runs on the same data, read with the same settings, can be one model"
        )


def _require_same_data(folders: Sequence[RunFolder]) -> None:
    """Raises ConfigError for a run whose validation data another may have learned from."""
    digests = [trained_digest(folder) for folder in folders]
    for folder, digest in zip(folders, digests, strict=True):
        if digest != digests[0]:
            raise ConfigError(
                f"{folder.path}: was trained on other data than {folders[0].path}, or split them otherwise; "
                f"what is held out must be so for all members"
            )


def _kept(
    pipeline: AnyPipeline,
    model: OpenModel,
    splits: Splits,
    *,
    objective: Objective,
    members: Sequence[Member],
    judged: bool,
) -> Trained:
    """Fits what is calibrated, and writes the run; its configuration comes last and makes it one."""
    from rnnapps.atomic import write_atomically
    from rnnapps.training.state import TrainState

    folder, network = model.folder, model.fitted.network
    assert folder is not None
    metrics = {name: float(value) for name, value in objective.validate().items()}
    state = TrainState(fingerprint={"data": splits.digest(), "seed": model.fitted.config.seed})
    state.record(metrics[objective.metric], higher_is_better=objective.higher_is_better)
    with folder.lock():
        folder.append_metrics({"step": 0, "elapsed_seconds": 0.0, **metrics})
        state.save(folder, {"network": network.weights})
        write_atomically(folder.path / ENSEMBLE, members_text(members).encode())
        begin_run(folder, pipeline, model.fitted.config, model.fitted.preprocessor)
    evaluation = score(pipeline, model, splits) if judged else None
    if evaluation is not None:
        save_evaluation(folder, evaluation)
    print(f"run folder: {folder.path}", file=sys.stderr)
    report = reporting.refresh_report(pipeline, model, splits, objective)
    facts = {"members": len(members), objective.metric: state.best_value}
    return Trained(model, splits, facts, report, None, evaluation)
