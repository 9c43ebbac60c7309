"""What to say about a flag that a verb does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rnnapps.cli.verb_table import VERBS, program
from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs.configure import option_names, options_of_others
from rnnapps.verbs.settings import nearest

__all__ = ["unknown_flag"]

AnyPipeline = Pipeline[Any, Any, Any]

DEVICES = "the device is chosen by TensorFlow: CUDA_VISIBLE_DEVICES= (empty) hides the GPUs, taskset limits the cores"

MEANINGS = {
    "device": DEVICES,
    "gpu": DEVICES,
    "gpus": DEVICES,
    "cpu": DEVICES,
    "cuda": DEVICES,
    "epochs": "training is counted in updates: --training.steps; --training.evaluate_every is the interval",
    "epoch": "training is counted in updates: --training.steps; --training.evaluate_every is the interval",
    "max_steps": "the number of updates is --training.steps",
    "iterations": "the number of updates is --training.steps",
    "batch": "sequences per update: --training.batch_size",
    "lr": "the peak learning rate is --training.learning_rate",
    "learning-rate": "the peak learning rate is --training.learning_rate",
    "hidden": "the size of a layer is --model.units",
    "hidden_size": "the size of a layer is --model.units",
    "layers": "the number of layers is --model.layers",
    "num_layers": "the number of layers is --model.layers",
    "fp16": "the number format is --training.precision",
    "bf16": "the number format is --training.precision",
    "amp": "the number format is --training.precision",
    "early_stopping": "evaluations without improvement before training stops: --training.patience",
    "dataset": "where the examples come from: --data.source",
    "train": "where the examples come from: --data.source",
    "data_dir": "where the examples come from: --data.source",
    "checkpoint": "a run folder holds its checkpoints: --run",
    "ckpt": "a run folder holds its checkpoints: --run",
    "model_dir": "a run folder holds the model: --run",
    "resume": "`train --run FOLDER` on an existing run goes on with it",
    "pretrained": "`finetune --from RUN_OR_EXPORT` starts from trained weights",
    "save": "`train --run FOLDER` keeps everything; `export --to FOLDER` writes a SavedModel",
    "output": "`export --to FOLDER` writes a SavedModel; other results go to standard output",
    "out": "`export --to FOLDER` writes a SavedModel; other results go to standard output",
    "format": "--json prints JSON; other formats are made from it",
    "verbose": "progress goes to standard error; 2>/dev/null hides it",
    "quiet": "progress goes to standard error; 2>/dev/null hides it",
    "workers": "the number of threads is TensorFlow's: TF_NUM_INTRAOP_THREADS",
    "num_workers": "the number of threads is TensorFlow's: TF_NUM_INTRAOP_THREADS",
}
"""A flag of other programs, without dashes -> what this one has instead."""

INPUTS = frozenset({"input", "in", "file", "text", "prompt", "audio", "video", "sentence", "midi", "csv", "image"})
"""What other programs, and other pipelines, call the input of `predict`."""


def unknown_flag(pipeline: AnyPipeline, verb: str, flag: str, kinds: Iterable[str]) -> str:
    """One line: why the verb has no such flag, and what to write instead.

    Args:
        pipeline: the application.
        verb: the verb.
        flag: as it was typed, without its value.
        kinds: dotted keys of all settings, and the names of the options of `predict` where the verb takes them.
    """
    if not flag.startswith("-"):
        return f"unexpected '{flag}': values with spaces need quotes, and every flag starts with --"
    name, kinds = flag.lstrip("-"), set(kinds)
    groups = VERBS[verb].groups(pipeline)
    if name in kinds and ("." in name or name == "seed"):
        return _not_taken(pipeline, verb, name)
    known = {key for key in kinds if "." not in key or key.partition(".")[0] in groups} | {*VERBS[verb].flags}
    close = nearest(flag, [f"--{key}" for key in known])
    own = option_names(pipeline)
    others = [other for other, definition in VERBS.items() if name in definition.flags]
    if name in own:
        takers = [other for other, definition in VERBS.items() if definition.predict]
        others = [other for other in takers if other != verb and name not in options_of_others(pipeline, other)]
    if others:
        *most, last = others
        return f"{verb} has no {flag}: it is a flag of {', '.join(most) + ' and ' if most else ''}{last}"
    if name in INPUTS and VERBS[verb].predict:
        return f"unknown flag '{flag}'; the input is --{own[0]}, see {program(pipeline)} {verb} --help"
    if name in INPUTS:
        return f"unknown flag '{flag}'; where the examples come from: --data.source"
    if name in MEANINGS and set(re.findall(r"--([a-z_]+\.[a-z_]+)", MEANINGS[name])) <= kinds:
        return f"unknown flag '{flag}'; {MEANINGS[name]}"
    return f"unknown flag '{flag}'{close or f'; see {program(pipeline)} {verb} --help'}"


def _not_taken(pipeline: AnyPipeline, verb: str, key: str) -> str:
    """Why a verb leaves a setting alone."""
    group = key.partition(".")[0]
    if group in pipeline.run_fixes:
        return f"{verb} does not take --{key}: the run already fixes it"
    takers = [name for name, definition in VERBS.items() if group in definition.groups(pipeline)]
    return f"{verb} does not take --{key}: it has no use for it; {', '.join(takers)} do"
