"""The verbs as commands: what each has found, printed."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli.arguments import Arguments
from rnnapps.cli.looking import data
from rnnapps.cli.predicting import predict
from rnnapps.cli.result import (
    Result,
    output,
    print_json,
    show_evaluation,
    show_facts,
    show_table,
    show_verdict,
)
from rnnapps.cli.streaming import stream
from rnnapps.cli.tuning import tune
from rnnapps.cli.verb_table import program
from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs import settings, yaml_files
from rnnapps.verbs.configure import configure, read_configuration
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.loading import load_tensorflow
from rnnapps.verbs.opening import OpenModel, open_model, open_run
from rnnapps.verbs.runs import new_run_path

if TYPE_CHECKING:
    from rich.console import Console

    from rnnapps.verbs.train import Trained

__all__ = [
    "data",
    "evaluate",
    "export",
    "finetune",
    "inspect",
    "predict",
    "run",
    "shown_training",
    "stream",
    "train",
    "tune",
]

AnyPipeline = Pipeline[Any, Any, Any]


def run(verb: str, pipeline: AnyPipeline, arguments: Arguments) -> int:
    """Runs a verb and prints its result; with `--json`, nothing but JSON reaches standard output."""
    if not (arguments.options["print_config"] or verb == "data"):
        load_tensorflow()
    if verb in PRINTED_PIECEWISE:
        return PRINTED_PIECEWISE[verb](pipeline, arguments)
    as_json = bool(arguments.options.get("json"))
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        result = RESULTS[verb](pipeline, arguments)
    if as_json:
        print_json(result.data)
    else:
        result.show(output())
    return 0


def train(pipeline: AnyPipeline, arguments: Arguments) -> Result:
    """Trains a new run, or resumes one whose folder exists, a fine-tuned one too."""
    if arguments.options["print_config"]:
        return _shown_config(pipeline, arguments)
    from rnnapps.verbs.train import train as train_run

    path, judged = _run_path(pipeline, arguments), not arguments.options["skip_evaluation"]
    return shown_training(pipeline, train_run(pipeline, arguments.config, path, judged=judged))


def finetune(pipeline: AnyPipeline, arguments: Arguments) -> Result:
    """Trains a new run from the weights of a run or an export, or resumes such a run."""
    if arguments.options["print_config"]:
        return _shown_config(pipeline, arguments)
    from rnnapps.verbs.train import finetune as finetune_run

    source, freeze = Path(arguments.options["from"]), tuple(arguments.options["freeze"] or ())
    path, judged = _run_path(pipeline, arguments), not arguments.options["skip_evaluation"]
    trained = finetune_run(pipeline, arguments.config, path, source=source, freeze=freeze, judged=judged)
    return shown_training(pipeline, trained)


def evaluate(pipeline: AnyPipeline, arguments: Arguments) -> Result:
    """The task's metrics on held-out data, beside its baselines."""
    from rnnapps.verbs.evaluate import evaluate as evaluate_model
    from rnnapps.verbs.keep import keep_settings, require_keepable
    from rnnapps.verbs.scored_data import examples_to_score

    model = _model(pipeline, arguments)
    kept = require_keepable(pipeline, model, arguments.given) if arguments.options["keep"] else None
    own = configure(pipeline, read_configuration(pipeline, Path(arguments.options["run"])), {})
    splits, note = examples_to_score(pipeline, own, arguments.config, folder=model.folder)
    if kept is not None:
        keep_settings(pipeline, model, kept, splits)
    switches = [name for name in pipeline.evaluation_switches if arguments.options[name]]
    keep = not arguments.given or kept is not None
    evaluation = evaluate_model(pipeline, model, splits, switches=switches, note=note, keep=keep)
    data = evaluation.as_dict()
    return Result({**data.pop("metrics"), **data}, lambda console: show_evaluation(console, evaluation))


def export(pipeline: AnyPipeline, arguments: Arguments) -> Result:
    """The next version of a served model, verified before it appears."""
    from rnnapps.export.destination import check_destination
    from rnnapps.export.manifest import EXTRA, read_manifest
    from rnnapps.export.provenance import read_private_key
    from rnnapps.portable.formats import check_formats, check_steps
    from rnnapps.portable.listing import portable_facts, read_listing
    from rnnapps.verbs.export import export as export_model

    formats = check_formats(arguments.options["portable"])
    steps = check_steps(arguments.options["portable_steps"])
    check_destination(Path(arguments.options["to"]))
    key = arguments.options["key"]
    if key is not None:
        read_private_key(key)
    to, model = Path(arguments.options["to"]), _model(pipeline, arguments)
    version = export_model(
        pipeline, model, to, key=None if key is None else Path(key), portable=formats, portable_steps=steps
    )
    signatures = sorted(read_manifest(version).signatures)
    listing = read_listing(version / EXTRA) if formats else {}
    data = {"path": version, "version": int(version.name), "signatures": signatures, **listing}

    def show(console: Console) -> None:
        show_facts(console, {"exported to": version, "signatures": ", ".join(signatures), **portable_facts(listing)})
        print(f"next: rnnapps verify {version}", file=console.file)

    return Result(data, show)


def inspect(pipeline: AnyPipeline, arguments: Arguments) -> Result:
    """Gradients through time, gates, parameters, operations and memory; also as pictures and in the report."""
    from rnnapps.verbs.inspect import inspect as inspect_model

    model, folder = open_run(pipeline, Path(arguments.options["run"]), arguments.config)
    found = inspect_model(pipeline, model, folder, read_examples(pipeline, arguments.config))
    fields = [field.name for field in dataclasses.fields(found.inspection) if field.name != "plots"]
    data = {
        **{name: getattr(found.inspection, name) for name in fields},
        "pictures": list(found.pictures.values()),
        "report": found.report,
    }

    def show(console: Console) -> None:
        for table in found.inspection.tables():
            if table.rows:
                show_table(console, table.columns, table.rows, caption=table.caption)
        show_facts(console, {**found.pictures, "report": found.report})

    return Result(data, show)


PRINTED_PIECEWISE: dict[str, Callable[[AnyPipeline, Arguments], int]] = {"predict": predict, "stream": stream}
"""Verbs whose results are printed one by one."""

RESULTS: dict[str, Callable[[AnyPipeline, Arguments], Result]] = {
    "data": data,
    "train": train,
    "finetune": finetune,
    "tune": tune,
    "evaluate": evaluate,
    "export": export,
    "inspect": inspect,
}


def _model(pipeline: AnyPipeline, arguments: Arguments) -> OpenModel:
    return open_model(pipeline, Path(arguments.options["run"]), arguments.config)


def _run_path(pipeline: AnyPipeline, arguments: Arguments) -> Path:
    return Path(arguments.options["run"] or new_run_path(pipeline, arguments.config))


def _shown_config(pipeline: AnyPipeline, arguments: Arguments) -> Result:
    text = yaml_files.dump(pipeline.name, arguments.config).rstrip()
    data = {"pipeline": pipeline.name, **settings.nest(settings.flatten(arguments.config))}
    return Result(data, lambda console: print(text, file=console.file))


def shown_training(pipeline: AnyPipeline, trained: Trained) -> Result:
    """What came of a training, and what to do next."""
    if trained.worker:
        told = {"worker": trained.worker, **trained.facts}
        return Result(told, lambda console: print(f"worker {trained.worker}: done; worker 0 keeps the run"))
    facts = {"run": trained.model.path, **trained.facts, "report": trained.report}
    evaluation = trained.evaluation
    data: dict[str, Any] = {**facts, **({"transfer": trained.transfer.as_dict()} if trained.transfer else {})}
    if evaluation:
        data["evaluation"] = evaluation.as_dict()

    def show(console: Console) -> None:
        show_facts(console, facts)
        print(f"next: {program(pipeline)} evaluate --run {trained.model.path}", file=console.file)
        if evaluation:
            show_verdict(console, evaluation)

    return Result(data, show)
