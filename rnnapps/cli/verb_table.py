"""The verbs every pipeline has, and their flags: the one table behind parsing and help."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jsonargparse

    from rnnapps.contract.pipeline import Pipeline

__all__ = ["FLAGS", "VERBS", "Flag", "Verb", "overview", "program"]

ALL_GROUPS = ("data", "model", "detection", "training", "decoding", "export", "seed")


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
        Flag("run", "run folder: configuration, metrics, checkpoints and report"),
        Flag("config", "YAML file of settings; flags override it"),
        Flag("print_config", "print the complete configuration as YAML and stop", switch=True),
        Flag("json", "print one JSON object on standard output", switch=True),
        Flag("from", "run folder or exported model to start from"),
        Flag("freeze", "layers that keep their weights", several=True),
        Flag("to", "model folder; the export becomes its next version"),
    )
}


@dataclasses.dataclass(frozen=True)
class Verb:
    """One verb.

    Attributes:
        summary: what it does.
        groups: fields of the configuration that it takes as flags.
        flags: names of its other flags.
        required: those of them that must be given.
        predict: it takes the pipeline's `Predict` options.
        usage: flags of its examples; `{run}`, `{name}` and `{predict}` are filled in.
    """

    summary: str
    groups: tuple[str, ...]
    flags: tuple[str, ...]
    required: tuple[str, ...]
    usage: tuple[str, ...]
    predict: bool = False

    def examples(self, pipeline: Pipeline[Any]) -> list[str]:
        """Complete commands, for the help."""
        verb = next(name for name, definition in VERBS.items() if definition is self)
        own = list(vars(pipeline.Predict).get("__annotations__", {}))
        first = own[0] if own else dataclasses.fields(pipeline.Predict)[0].name
        values = {"run": f"runs/{pipeline.name}/first", "name": pipeline.name, "predict": f"--{first} ..."}
        return [f"{program(pipeline)} {verb} {flags.format(**values)}".rstrip() for flags in self.usage]


VERBS = {
    "train": Verb(
        "train a model, or continue the run if its folder exists",
        ALL_GROUPS,
        ("run", "config", "print_config", "json"),
        (),
        (
            "",
            "--config pipelines/configs/{name}/quick.yaml --run {run}",
            "--model.cell lstm --model.units 512 --training.steps 5000 --run {run}",
            "--print_config > mine.yaml",
        ),
    ),
    "finetune": Verb(
        "train on from the weights of a run or an exported model, on new data",
        ALL_GROUPS,
        ("from", "run", "freeze", "config", "print_config", "json"),
        ("from",),
        (
            "--from {run} --data.source mine --run runs/{name}/mine",
            "--from saved_models/{name}/1 --data.source mine --training.learning_rate 0.0003",
        ),
    ),
    "evaluate": Verb(
        "measure a run on held-out data, beside naive baselines",
        ("data", "detection", "decoding"),
        ("run", "json"),
        ("run",),
        ("--run {run}", "--run {run} --json", "--run {run} --data.test other"),
    ),
    "predict": Verb(
        "apply a run to raw input",
        ("decoding",),
        ("run", "json"),
        ("run",),
        ("--run {run} {predict}",),
        predict=True,
    ),
    "stream": Verb(
        "apply a run piece by piece, printing each as soon as it is known",
        ("decoding",),
        ("run",),
        ("run",),
        ("--run {run} {predict}",),
        predict=True,
    ),
    "export": Verb(
        "write a verified SavedModel that TensorFlow Serving loads",
        ("decoding", "export"),
        ("run", "to", "json"),
        ("run", "to"),
        ("--run {run} --to saved_models/{name}",),
    ),
    "inspect": Verb(
        "show gradients through time, gates, parameters, operations and memory of a run",
        ("data",),
        ("run", "json"),
        ("run",),
        ("--run {run}", "--run {run} --json"),
    ),
}


def program(pipeline: Pipeline[Any]) -> str:
    """How a user calls the pipeline."""
    return f"python -m pipelines.{pipeline.name}"


def overview(pipeline: Pipeline[Any]) -> str:
    """The help of the pipeline as a whole."""
    examples: list[Callable[[Pipeline[Any]], list[str]]] = [VERBS[name].examples for name in VERBS]
    lines = [f"usage: {program(pipeline)} VERB [flags]", "", pipeline.summary, "", "verbs:"]
    lines += [f"  {name:<10}{verb.summary}" for name, verb in VERBS.items()]
    lines += ["", f"`{program(pipeline)} VERB --help` lists the flags of a verb.", "", "examples:"]
    lines += [f"  {each(pipeline)[0]}" for each in examples]
    return "\n".join(lines)
