"""The verbs that use a trained run, and the table of all verbs."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.loading import load_tensorflow
from rnnapps.cli.result import Result, plain, print_json, show_evaluation, show_facts, show_table
from rnnapps.cli.runs import open_run, save_evaluation
from rnnapps.cli.training_verbs import finetune, train
from rnnapps.contract.pipeline import Pipeline

__all__ = ["evaluate", "export", "inspect", "predict", "run", "stream"]


def run(verb: str, pipeline: Pipeline[Any], arguments: Arguments) -> int:
    """Runs a verb and prints its result; with `--json`, nothing but one JSON object reaches standard output."""
    if not arguments.options["print_config"]:
        load_tensorflow()
    if verb == "stream":
        return stream(pipeline, arguments)
    as_json = bool(arguments.options.get("json"))
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        result = RESULTS[verb](pipeline, arguments)
    if as_json:
        print_json(result.data)
    else:
        from rich.console import Console

        result.show(Console())
    return 0


def evaluate(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """The task's metrics on held-out data, beside its baselines."""
    from rnnapps.cli.reporting import refresh_report

    run = open_run(pipeline, arguments)
    splits = pipeline.examples(run.config)
    switches = dict.fromkeys((name for name in pipeline.evaluation_switches if arguments.options[name]), True)
    evaluation = pipeline.evaluate(run.config, run.network, run.preprocessor, splits, **switches)
    if not arguments.given and not switches:
        save_evaluation(run.folder, evaluation)
        refresh_report(pipeline, run, splits, pipeline.objective(run.config, run.network, run.preprocessor, splits))
    data = {
        **evaluation.metrics,
        "baselines": evaluation.baselines,
        "examples": evaluation.examples,
        "split": evaluation.split,
        "diagnostics": evaluation.diagnostics,
    }
    return Result(data, lambda console: show_evaluation(console, evaluation))


def predict(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """Finished results for raw input."""
    run = open_run(pipeline, arguments)
    results = [plain(item) for item in pipeline.predict(run.config, run.network, run.preprocessor, arguments.predict)]

    def show(console: Any) -> None:
        long = any("\n" in item for item in results if isinstance(item, str))
        for number, item in enumerate(results):
            if number and long:
                print("-" * 40, file=console.file)
            if isinstance(item, str):
                print(item, file=console.file)
            else:
                print_json(item, console.file)

    return Result({"results": results}, show)


def stream(pipeline: Pipeline[Any], arguments: Arguments) -> int:
    """Prints pieces of the result as soon as they exist."""
    run, piece = open_run(pipeline, arguments), ""
    for piece in pipeline.stream(run.config, run.network, run.preprocessor, arguments.predict):
        sys.stdout.write(piece)
        sys.stdout.flush()
    if not piece.endswith("\n"):
        print()
    return 0


def export(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """The next version of a served model, verified before it appears."""
    from rnnapps.cli.model_card import describe_model
    from rnnapps.cli.settings import dump
    from rnnapps.export.manifest import read_manifest
    from rnnapps.export.saved_model import export as export_model
    from rnnapps.export.workplace import check_destination

    check_destination(Path(arguments.options["to"]))
    run = open_run(pipeline, arguments)
    print(f"exporting {run.folder.path}, then verifying the export", file=sys.stderr)
    version = export_model(
        pipeline.endpoints(run.config, run.network, run.preprocessor),
        run.network,
        run.preprocessor,
        Path(arguments.options["to"]),
        config_yaml=dump(pipeline.name, run.config),
        model_card=describe_model(pipeline, run),
        warmup=run.config.export.warmup_requests,
    )
    signatures = sorted(read_manifest(version).signatures)
    data = {"path": version, "version": int(version.name), "signatures": signatures}

    def show(console: Any) -> None:
        show_facts(console, {"exported to": version, "signatures": ", ".join(signatures)})
        print(f"next: rnnapps verify {version}", file=console.file)

    return Result(data, show)


def inspect(pipeline: Pipeline[Any], arguments: Arguments) -> Result:
    """Gradients through time, gates, parameters, operations and memory; also as pictures and in the report."""
    from rnnapps.cli.reporting import PICTURES, inspect_open_run, refresh_report

    run = open_run(pipeline, arguments)
    splits = pipeline.examples(run.config)
    objective = pipeline.objective(run.config, run.network, run.preprocessor, splits)
    inspection = inspect_open_run(run, objective, measure_memory=True)
    report = refresh_report(pipeline, run, splits, objective, inspection)
    files = [run.folder.path / PICTURES / f"{name}.png" for name in inspection.plots]
    found = {field.name: getattr(inspection, field.name) for field in dataclasses.fields(inspection)}
    data = {**{name: value for name, value in found.items() if name != "plots"}, "pictures": files, "report": report}

    def show(console: Any) -> None:
        for table in inspection.tables():
            if table.rows:
                show_table(console, table.columns, table.rows, caption=table.caption)
        show_facts(console, {**{file.stem: file for file in files}, "report": report})

    return Result(data, show)


RESULTS: dict[str, Callable[[Pipeline[Any], Arguments], Result]] = {
    "train": train,
    "finetune": finetune,
    "evaluate": evaluate,
    "predict": predict,
    "export": export,
    "inspect": inspect,
}
