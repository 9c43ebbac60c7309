"""`train` and `finetune`: begin a run, resume it, or begin one from the weights of another."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli import settings
from rnnapps.cli.arguments import Arguments
from rnnapps.cli.result import Result, show_facts
from rnnapps.cli.runs import OpenRun, begin_run, check_resumable, data_digest, new_run_path
from rnnapps.cli.verb_table import program
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.pipeline import Pipeline, Splits

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["finetune", "train"]

ORIGIN = "finetune.json"


def train(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """Trains a new run, or resumes one whose folder exists."""
    if arguments.options["print_config"]:
        return _show_config(pipeline, arguments)
    folder = _run_folder(pipeline, arguments)
    return _train(pipeline, arguments, folder, _read_origin(folder))


def finetune(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """Trains a new run from the weights of a run or an export, or resumes such a run."""
    if arguments.options["print_config"]:
        return _show_config(pipeline, arguments)
    source = Path(arguments.options["from"])
    if not source.is_dir():
        raise CheckpointError(f"{source}: no such folder; --from names a run folder or an exported model")
    folder = _run_folder(pipeline, arguments)
    origin = {"from": str(source), "freeze": arguments.options["freeze"] or []}
    existing = _read_origin(folder)
    if folder.config_path.exists() and existing != origin:
        raise ConfigError(f"{folder.path}: this run exists and was not begun with these --from and --freeze")
    return _train(pipeline, arguments, folder, origin)


def _show_config(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    text = settings.dump(pipeline.name, arguments.config).rstrip()
    data = {"pipeline": pipeline.name, **settings.nest(settings.flatten(arguments.config))}
    return Result(data, lambda console: print(text, file=console.file))


def _run_folder(pipeline: Pipeline[Any], arguments: Arguments) -> RunFolder:
    from rnnapps.training.run import RunFolder

    return RunFolder(arguments.options["run"] or new_run_path(pipeline, arguments.config))


def _read_origin(folder: RunFolder) -> dict[str, Any] | None:
    path = folder.path / ORIGIN
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, TypeError):
        raise CheckpointError(f"{path}: not JSON; restore the file or use another --run") from None


def _train(
    pipeline: Pipeline[Any], arguments: Arguments, folder: RunFolder, origin: Mapping[str, Any] | None
) -> Result:
    config, resumed = arguments.config, folder.config_path.exists()
    if resumed:
        check_resumable(folder, pipeline, config)
    splits = pipeline.examples(config)
    import keras

    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(config.training.precision)
    if resumed:
        preprocessor = pipeline.load_preprocessor(folder.preprocessing_dir)
    else:
        preprocessor = _first_preprocessor(pipeline, config, splits, origin)
    network = pipeline.build_model(config, preprocessor)
    transfer = _transfer(folder, network, preprocessor, origin, pipeline) if origin else None
    if not resumed and origin:
        _write_origin(folder, origin)
    begin_run(folder, pipeline, config, preprocessor)
    run = OpenRun(folder, config, preprocessor, network)
    return _fit_and_report(pipeline, run, splits, transfer)


def _fit_and_report(
    pipeline: Pipeline[Any], run: OpenRun, splits: Splits, transfer: Mapping[str, Any] | None
) -> Result:
    from rnnapps.cli.reporting import refresh_report
    from rnnapps.training.loop import train as fit
    from rnnapps.training.state import restore_best

    command = program(pipeline)
    print(f"run folder: {run.folder.path}", file=sys.stderr)
    objective = pipeline.objective(run.config, run.network, run.preprocessor, splits)
    summary = fit(
        run.folder,
        run.network,
        objective,
        run.config.training,
        seed=run.config.seed,
        fingerprint={"data": data_digest(splits)},
        resume_command=f"{command} train --run {run.folder.path}",
    )
    restore_best(run.folder, run.network)
    report = refresh_report(pipeline, run, objective)
    facts = {"run": run.folder.path, **summary, "report": report}
    following = f"{command} evaluate --run {run.folder.path}"

    def show(console: Any) -> None:
        show_facts(console, facts)
        console.print(f"next: {following}", highlight=False, soft_wrap=True)

    return Result({**facts, **({"transfer": transfer} if transfer else {})}, show)
