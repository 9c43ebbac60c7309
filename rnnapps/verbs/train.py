"""Trains: begins a run, resumes it, or begins one from the weights of another model."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import CheckpointError, ConfigError, RnnappsError
from rnnapps.verbs.agreement import require_shareable
from rnnapps.verbs.building import build_run, train_run
from rnnapps.verbs.course import course, passes
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.evaluate import score
from rnnapps.verbs.finishing import finish, require_refittable
from rnnapps.verbs.following import follow
from rnnapps.verbs.members import require_no_ensemble
from rnnapps.verbs.opening import (
    OpenModel,
    load_preprocessor,
    number_format,
    open_model,
    read_weights,
    what_is_instead_of_folder,
)
from rnnapps.verbs.origin import read_origin, write_origin
from rnnapps.verbs.runs import begin_run, check_resumable, forget_evaluation, save_evaluation
from rnnapps.verbs.status import status

if TYPE_CHECKING:
    from rnnapps.contract.evaluation import Evaluation
    from rnnapps.training.finetune import TransferReport
    from rnnapps.training.run import RunFolder
    from rnnapps.training.workers import Workers

__all__ = ["Trained", "finetune", "train"]

AnyPipeline = Pipeline[Any, Any, Any]
Origin = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Trained:
    """What training has made.

    Attributes:
        model: the model, with its best weights.
        splits: the data it was trained on.
        facts: steps, best value, seconds... by name.
        report: the file of the report; None of a worker beside the first.
        transfer: what became of the source's weights; None for a run from scratch.
        evaluation: the model beside its baselines; None where that was not asked for, or could not be.
        worker: number of this process among those that trained together; only the first has a run folder.
    """

    model: OpenModel
    splits: Any
    facts: Mapping[str, Any]
    report: Path | None
    transfer: TransferReport | None
    evaluation: Evaluation | None = None
    worker: int = 0


def train(pipeline: AnyPipeline, config: Any, path: Path, *, given: Any = None, judged: bool = False) -> Trained:
    """Trains a new run, or resumes one whose folder exists, a fine-tuned one too.

    Args:
        pipeline: the application.
        config: its settings.
        path: the run folder.
        given: examples from Python instead of those of `data.source`.
        judged: evaluate the model in the end, for its run, report and card.

    Raises:
        RnnappsError: of the kind that fits: the data, a setting, the folder, a loss that is no number.
    """
    workers = _joined(config)
    if not workers.chief:
        return _followed(pipeline, config, path, workers, given=given)
    folder = _run_folder(path)
    return _train(pipeline, config, folder, workers, origin=read_origin(folder), given=given, judged=judged)


def finetune(
    pipeline: AnyPipeline,
    config: Any,
    path: Path,
    *,
    source: Path,
    freeze: tuple[str, ...] = (),
    given: Any = None,
    judged: bool = False,
) -> Trained:
    """Trains a new run from the weights of a run or an export, or resumes such a run.

    Args:
        pipeline: the application.
        config: its settings.
        path: the folder of the new run.
        source: the run folder or the export to start from.
        freeze: layers that keep their weights.
        given: as for `train`.
        judged: as for `train`.

    Raises:
        RnnappsError: as for `train`; or the run exists and began otherwise.
    """
    workers = _joined(config)
    if not workers.chief:
        return _followed(pipeline, config, path, workers, given=given)
    if not source.is_dir():
        found = what_is_instead_of_folder(source)
        raise CheckpointError(f"{source}: {found}; --from names a run folder or an exported model")
    require_no_ensemble(source)
    folder = _run_folder(path)
    origin = {"from": str(source), "freeze": list(freeze)}
    if folder.config_path.exists():
        existing = read_origin(folder) or {}
        if any(existing.get(name) != value for name, value in origin.items()):
            raise ConfigError(
                f"{folder.path}: this run exists and was not begun with these --from and --freeze; "
                f"resume it with `train --run`, or choose another --run"
            )
    return _train(pipeline, config, folder, workers, origin=origin, given=given, judged=judged)


def _joined(config: Any) -> Workers:
    """All who train together, once they have come."""
    from rnnapps.training.workers import join_workers

    workers = join_workers(config.training)
    require_shareable(config, workers)
    return workers


def _followed(pipeline: AnyPipeline, config: Any, path: Path, workers: Workers, *, given: Any) -> Trained:
    """What a worker beside the first has in the end: the weights of the last update."""
    fitted, splits, facts = follow(pipeline, config, workers, given=given)
    return Trained(OpenModel(path, fitted, None), splits, facts, None, None, worker=workers.index)


def _run_folder(path: Path) -> RunFolder:
    from rnnapps.training.run import RunFolder

    if path.exists() and not path.is_dir():
        raise CheckpointError(f"{path}: it is a file; --run names a folder, new or of a run to resume")
    return RunFolder(path)


def _train(
    pipeline: AnyPipeline,
    config: Any,
    folder: RunFolder,
    workers: Workers,
    *,
    origin: Origin | None,
    given: Any,
    judged: bool,
) -> Trained:
    begun = folder.config_path.exists()
    # A run is locked before anything of it is read; a new one only when nothing but the training can fail.
    with folder.lock() if begun else contextlib.nullcontext(), number_format(config.training.precision):
        if begun:
            require_no_ensemble(folder.path)
            check_resumable(folder, pipeline, config)
        splits = read_examples(pipeline, config, given)
        require_refittable(pipeline, config, splits)
        fitted, objective = build_run(pipeline, config, folder, splits=splits, origin=origin, workers=workers)
        model, preprocessor = OpenModel(folder.path, fitted, folder), fitted.preprocessor
        with folder.lock():
            if not begun and folder.config_path.exists():
                raise CheckpointError(f"{folder.path}: another process has begun this run; choose another --run")
            transferred = _transfer(pipeline, fitted, folder, origin) if origin else None
            begin_run(folder, pipeline, config, preprocessor)
            facts = _fit(pipeline, fitted, folder, splits=splits, objective=objective, workers=workers)
        evaluation = _evaluated(pipeline, model, splits) if judged else None
        report = _report(pipeline, model, splits, objective)
        return Trained(model, splits, facts, report, transferred, evaluation)


def _transfer(
    pipeline: AnyPipeline, fitted: Fitted[Any, Any], folder: RunFolder, origin: Origin
) -> TransferReport | None:
    """Loads the source's weights into a network that has no state of its own yet; freezes layers in any case."""
    from rnnapps.training.checkpoint import checkpoint_steps
    from rnnapps.training.finetune import freeze

    if checkpoint_steps(folder.state_dir):
        freeze(fitted.network, origin["freeze"])
        return None
    report = _load_source(pipeline, fitted, origin)
    for line in report.lines():
        print(line, file=sys.stderr)
    write_origin(folder, {**origin, "transfer": report.as_dict()})
    return report


def _load_source(pipeline: AnyPipeline, fitted: Fitted[Any, Any], origin: Origin) -> TransferReport:
    """Loads the source's weights into a fresh network, and freezes layers."""
    from rnnapps.training.finetune import transfer

    source = Path(origin["from"])
    old = load_preprocessor(pipeline, source)
    return transfer(
        fitted.network,
        read_weights(source),
        vocabularies=pipeline.vocabulary_changes(fitted.network, old, fitted.preprocessor),
        freeze_layers=origin["freeze"],
        seed=fitted.config.seed,
    )


def _fit(
    pipeline: AnyPipeline,
    fitted: Fitted[Any, Any],
    folder: RunFolder,
    *,
    splits: Splits,
    objective: Objective,
    workers: Workers,
) -> Mapping[str, Any]:
    """Trains to the end, and leaves the best weights in the network, or what was made after them."""
    from rnnapps.training.checkpoint import checkpoint_steps
    from rnnapps.training.environment import keep_environment

    told = [f"run folder: {folder.path}"]
    told += course(fitted.config.training, objective, finetuned=read_origin(folder) is not None)
    told += keep_environment(folder.path, max(checkpoint_steps(folder.state_dir), default=0), workers.count)
    print(*told, sep="\n", file=sys.stderr)
    resume = f"rnnapps {pipeline.name} train --run {folder.path}" + " on all workers" * (workers.count > 1)
    summary = train_run(folder, fitted, objective, splits, resume=resume, workers=workers)
    forget_evaluation(folder)
    origin = read_origin(folder)
    summary |= finish(
        pipeline,
        fitted,
        folder,
        splits=splits,
        objective=objective,
        prepare=lambda fresh: _load_source(pipeline, fresh, origin) if origin else None,
    )
    often = passes(fitted.config.training, objective)
    return summary if often is None else {**summary, "passes_over_the_data": often}


def _evaluated(pipeline: AnyPipeline, model: OpenModel, splits: Splits) -> Evaluation | None:
    """The trained model beside its baselines, in float32 as `evaluate` scores it; kept in the run.

    A training that has ended well stays so: what cannot be measured is told.
    """
    try:
        with number_format("float32"), status("evaluating the model beside its baselines"):
            if model.fitted.config.training.precision != "float32":
                model = open_model(pipeline, model.path, model.fitted.config)
            evaluation = score(pipeline, model, splits)
    except RnnappsError as error:
        print(f"note: the model is trained, but was not evaluated: {error}", file=sys.stderr)
        return None
    assert model.folder is not None
    save_evaluation(model.folder, evaluation)
    return evaluation


def _report(pipeline: AnyPipeline, model: OpenModel, splits: Splits, objective: Objective) -> Path:
    from rnnapps.verbs import reporting

    return reporting.refresh_report(pipeline, model, splits, objective)
