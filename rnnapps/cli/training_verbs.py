"""`train` and `finetune`: begin a run, resume it, or begin one from the weights of another."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli import settings
from rnnapps.cli.arguments import Arguments
from rnnapps.cli.origin import load_source_preprocessor, read_origin, read_source_weights, write_origin
from rnnapps.cli.result import Result, show_facts
from rnnapps.cli.runs import (
    OpenRun,
    begin_run,
    check_resumable,
    data_digest,
    forget_evaluation,
    new_run_path,
    what_is_instead_of_folder,
)
from rnnapps.cli.verb_table import program
from rnnapps.contract.pipeline import Objective, Pipeline, Splits
from rnnapps.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from rnnapps.training.finetune import TransferReport
    from rnnapps.training.run import RunFolder

__all__ = ["finetune", "train"]

Origin = Mapping[str, Any]


def train(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """Trains a new run, or resumes one whose folder exists, a fine-tuned one too."""
    if arguments.options["print_config"]:
        return _show_config(pipeline, arguments)
    folder = _run_folder(pipeline, arguments)
    return _train(pipeline, arguments.config, folder, read_origin(folder))


def finetune(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """Trains a new run from the weights of a run or an export, or resumes such a run."""
    if arguments.options["print_config"]:
        return _show_config(pipeline, arguments)
    source = Path(arguments.options["from"])
    if not source.is_dir():
        found = what_is_instead_of_folder(source)
        raise CheckpointError(f"{source}: {found}; --from names a run folder or an exported model")
    folder = _run_folder(pipeline, arguments)
    origin = {"from": str(source), "freeze": arguments.options["freeze"] or []}
    if folder.config_path.exists():
        existing = read_origin(folder) or {}
        if any(existing.get(name) != value for name, value in origin.items()):
            raise ConfigError(
                f"{folder.path}: this run exists and was not begun with these --from and --freeze; "
                f"resume it with `train --run`, or choose another --run"
            )
    return _train(pipeline, arguments.config, folder, origin)


def _show_config(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    text = settings.dump(pipeline.name, arguments.config).rstrip()
    data = {"pipeline": pipeline.name, **settings.nest(settings.flatten(arguments.config))}
    return Result(data, lambda console: print(text, file=console.file))


def _run_folder(pipeline: Pipeline[Any], arguments: Arguments) -> RunFolder:
    from rnnapps.training.run import RunFolder

    path = Path(arguments.options["run"] or new_run_path(pipeline, arguments.config))
    if path.exists() and not path.is_dir():
        raise CheckpointError(f"{path}: it is a file; --run names a folder, new or of a run to resume")
    return RunFolder(path)


def _train(pipeline: Pipeline[Any], config: Any, folder: RunFolder, origin: Origin | None) -> Result:
    import keras

    if folder.config_path.exists():
        check_resumable(folder, pipeline, config)
    splits = pipeline.examples(config)
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(config.training.precision)
    preprocessor = _preprocessor(pipeline, config, folder, splits, origin)
    network = pipeline.build_model(config, preprocessor)
    run = OpenRun(folder, config, preprocessor, network)
    objective = pipeline.objective(config, network, preprocessor, splits)
    objective.batches(0)  # says now whether the data suffice for a batch: a run, once begun, keeps its settings
    report = _transfer(pipeline, run, origin) if origin else None
    begin_run(folder, pipeline, config, preprocessor)
    return _fit(pipeline, run, splits, objective, report)


def _preprocessor(
    pipeline: Pipeline[Any], config: Any, folder: RunFolder, splits: Splits, origin: Origin | None
) -> Any:
    """That of the run; for a new run, the source's grown by the new data, or a fitted one."""
    if folder.config_path.exists():
        return pipeline.load_preprocessor(folder.preprocessing_dir)
    if origin:
        old = load_source_preprocessor(pipeline, Path(origin["from"]))
        return pipeline.grow_preprocessor(config, old, splits)
    return pipeline.fit_preprocessor(config, splits)


def _transfer(pipeline: Pipeline[Any], run: OpenRun, origin: Origin) -> TransferReport | None:
    """Loads the source's weights into a network that has no state of its own yet; freezes layers in any case."""
    from rnnapps.training.checkpoint import checkpoint_steps
    from rnnapps.training.finetune import freeze, transfer

    if checkpoint_steps(run.folder.state_dir):
        freeze(run.network, origin["freeze"])
        return None
    source = Path(origin["from"])
    old = load_source_preprocessor(pipeline, source)
    report = transfer(
        run.network,
        read_source_weights(source),
        vocabularies=pipeline.vocabulary_changes(run.network, old, run.preprocessor),
        freeze_layers=origin["freeze"],
        seed=run.config.seed,
    )
    for line in report.lines():
        print(line, file=sys.stderr)
    write_origin(run.folder, {**origin, "transfer": report.as_dict()})
    return report


def _fit(
    pipeline: Pipeline[Any], run: OpenRun, splits: Splits, objective: Objective, report: TransferReport | None
) -> Result:
    from rnnapps.cli.reporting import refresh_report
    from rnnapps.training.loop import train as fit
    from rnnapps.training.state import restore_best

    command, path = program(pipeline), run.folder.path
    print(f"run folder: {path}", file=sys.stderr)
    summary = fit(
        run.folder,
        run.network,
        objective,
        run.config.training,
        seed=run.config.seed,
        fingerprint={"data": data_digest(splits)},
        when_changed={"data": _data_changed(run.config)},
        resume_command=f"{command} train --run {path}",
    )
    forget_evaluation(run.folder)
    restore_best(run.folder, run.network)
    facts = {"run": path, **summary, "report": refresh_report(pipeline, run, splits, objective)}

    def show(console: Any) -> None:
        show_facts(console, facts)
        print(f"next: {command} evaluate --run {path}", file=console.file)

    return Result({**facts, **({"transfer": report.as_dict()} if report else {})}, show)


def _data_changed(config: Any) -> str:
    source = getattr(config.data, "source", "its source")
    return (
        f"the data of this run (data.source {source}) have changed since it was begun: restore them to resume it, "
        f"or train on the new ones with another --run"
    )
