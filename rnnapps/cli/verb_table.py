"""The verbs every pipeline has, and their flags: the one table behind parsing and help."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs.configure import applied_groups, option_names

if TYPE_CHECKING:
    import jsonargparse

__all__ = ["FLAGS", "VERBS", "Flag", "Verb", "overview", "program"]

AnyPipeline = Pipeline[Any, Any, Any]
Scope = Literal["all", "evaluate", "predict", "stream", "export", "data"]


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag that is not part of a configuration.

    Attributes:
        name: without the dashes.
        help: what it means; also ends the error when it is required and missing.
        switch: it takes no value.
        several: it takes a YAML list, or one value.
    """

    name: str
    help: str
    switch: bool = False
    several: bool = False

    def add_to(self, parser: jsonargparse.ArgumentParser) -> None:
        """Declares the flag."""
        if self.switch:
            parser.add_argument(f"--{self.name}", action="store_true", help=self.help)
        elif self.several:
            parser.add_argument(f"--{self.name}", type=str, nargs="+", metavar="NAME", help=self.help)
        else:
            parser.add_argument(f"--{self.name}", type=str, metavar=self.name.upper(), help=self.help)


FLAGS = {
    flag.name: flag
    for flag in (
        Flag("run", "run folder: configuration, metrics, checkpoints and report; or an export, to use it"),
        Flag("config", "settings: a YAML file, or the name of a shipped one; may be repeated, and flags override it"),
        Flag("print_config", "print the complete configuration as YAML and stop", switch=True),
        Flag("json", "print JSON on standard output: one object, or one a piece of a stream", switch=True),
        Flag("from", "run folder or exported model to start from"),
        Flag("freeze", "layers that keep their weights", several=True),
        Flag("html", "file for the same as a page with pictures and sounds"),
        Flag("measure", "also build the model and time real training steps, which takes a minute", switch=True),
        Flag("skip_evaluation", "end without measuring the model beside its baselines", switch=True),
        Flag("keep", "keep the settings that are tried in the run, fitted to its own data anew", switch=True),
        Flag("search", "folder of a search: its journal, its runs and its report; one that exists goes on"),
        Flag("minutes", "of work, over all processes and calls of the search; 20 if not given"),
        Flag(
            "settings", "what to vary: NAME, NAME=LOW..HIGH or NAME=A,B; by default all that have a range", several=True
        ),
        Flag("cells", "cells to try, too: their names, or all", several=True),
        Flag("trials", "configurations to try at most, beside the one as it is"),
        Flag("state", "file that the stream goes on from, if it exists; written at intervals and at the end"),
        Flag("state_seconds", "seconds between two writings of the state; 30 if not given"),
        Flag("to", "model folder; the export becomes its next version"),
        Flag("portable", "formats for other runtimes to write beside it: c, onnx, litert; several with commas"),
        Flag("portable_steps", "places of their inputs of variable length; one in a step if not given"),
        Flag("key", "private key (PEM, Ed25519) that signs the export; `verify --key` checks it by the public one"),
    )
}


@dataclasses.dataclass(frozen=True)
class Verb:
    """One verb.

    Attributes:
        summary: what it does.
        scope: which groups of settings it takes as flags, see `groups`.
        flags: names of its other flags.
        required: those of them that must be given.
        usage: flags of its examples; `{run}`, `{name}`, `{config}` and `{predict}` are filled in, and an example with
            `{config}` is left out where a pipeline ships no configuration.
        predict: it takes the pipeline's options of `predict`.
    """

    summary: str
    scope: Scope
    flags: tuple[str, ...]
    required: tuple[str, ...]
    usage: tuple[str, ...]
    predict: bool = False

    def groups(self, pipeline: AnyPipeline) -> frozenset[str]:
        """The fields of the pipeline's configuration that the verb takes as flags."""
        fields = frozenset(field.name for field in dataclasses.fields(pipeline.config_class))
        applied = applied_groups(pipeline)
        scopes: dict[Scope, frozenset[str]] = {
            "all": fields,
            "evaluate": applied | pipeline.evaluate_tries,
            "predict": applied_groups(pipeline, "predict"),
            "stream": applied_groups(pipeline, "stream"),
            "export": applied | {"export"},
            "data": frozenset({"data"}),
        }
        return scopes[self.scope] & fields

    def examples(self, pipeline: AnyPipeline) -> list[str]:
        """Complete commands, for the help."""
        from rnnapps.verbs.pipelines import configurations

        verb = next(name for name, definition in VERBS.items() if definition is self)
        shipped = configurations(pipeline)
        values = {
            "run": f"runs/{pipeline.name}/first",
            "name": pipeline.name,
            "config": "demo" if "demo" in shipped else next(iter(shipped), ""),
            "predict": f"--{option_names(pipeline)[0]} ...",
        }
        usable = [flags for flags in self.usage if shipped or "{config}" not in flags]
        return [f"{program(pipeline)} {verb} {flags.format(**values)}".rstrip() for flags in usable]


VERBS = {
    "data": Verb(
        "look at data before any training: what is understood of it, what is left out, what usually ruins a model",
        "all",
        ("config", "measure", "html", "json"),
        (),
        ("", "--data.source mine", "--data.source mine --html data.html", "--data.source mine --measure"),
    ),
    "train": Verb(
        "train a model, or continue the run if its folder exists",
        "all",
        ("run", "config", "skip_evaluation", "print_config", "json"),
        (),
        (
            "",
            "--config {config} --run {run}",
            "--model.cell lstm --training.steps 5000 --run {run}",
            "--print_config > mine.yaml",
        ),
    ),
    "finetune": Verb(
        "train on from the weights of a run or an exported model, on new data",
        "all",
        ("from", "run", "freeze", "config", "skip_evaluation", "print_config", "json"),
        ("from",),
        (
            "--from {run} --data.source mine --run runs/{name}/mine",
            "--from saved_models/{name}/1 --data.source mine --training.learning_rate 0.0003",
        ),
    ),
    "tune": Verb(
        "search for better settings, around a configuration that is trained first, as it is",
        "all",
        ("search", "minutes", "settings", "cells", "trials", "config", "skip_evaluation", "json"),
        (),
        (
            "--config {config} --minutes 20 --search searches/{name}/first",
            "--search searches/{name}/first --minutes 60",
            "--cells gru lstm min_gru",
            "--settings training.learning_rate model.units=32..256 training.batch_size=16,32",
        ),
    ),
    "evaluate": Verb(
        "measure a run on held-out data, beside naive baselines",
        "evaluate",
        ("run", "keep", "json"),
        ("run",),
        ("--run {run}", "--run {run} --json", "--run {run} --data.test other"),
    ),
    "predict": Verb(
        "apply a run to raw input",
        "predict",
        ("run", "json"),
        ("run",),
        ("--run {run} {predict}",),
        predict=True,
    ),
    "stream": Verb(
        "apply a run piece by piece, printing each as soon as it is known",
        "stream",
        ("run", "state", "state_seconds", "json"),
        ("run",),
        ("--run {run} {predict}",),
        predict=True,
    ),
    "export": Verb(
        "write a verified SavedModel that TensorFlow Serving loads",
        "export",
        ("run", "to", "key", "portable", "portable_steps", "json"),
        ("run", "to"),
        ("--run {run} --to saved_models/{name}", "--run {run} --to saved_models/{name} --portable c"),
    ),
    "inspect": Verb(
        "show gradients through time, gates, parameters, operations and memory of a run",
        "data",
        ("run", "json"),
        ("run",),
        ("--run {run}", "--run {run} --json"),
    ),
}


def program(pipeline: AnyPipeline) -> str:
    """How a user calls the pipeline."""
    return f"rnnapps {pipeline.name}"


def overview(pipeline: AnyPipeline) -> str:
    """The help of the pipeline as a whole."""
    from rnnapps.verbs.pipelines import configurations

    lines = [f"usage: {program(pipeline)} VERB [flags]", "", pipeline.summary, "", "verbs:"]
    lines += [f"  {name:<10}{verb.summary}" for name, verb in VERBS.items()]
    if shipped := configurations(pipeline):
        lines += ["", f"configurations (--config NAME): {', '.join(shipped)}"]
    lines += ["", f"`{program(pipeline)} VERB --help` lists the flags of a verb.", "", "examples:"]
    lines += [f"  {verb.examples(pipeline)[0]}" for verb in VERBS.values()]
    return "\n".join(lines)
