r"""Which cell learns best: a pipeline trained once with each cell, all else equal.

In equal time: a short run measures how long an interval takes (steps and evaluation); from it follows for how many
steps each cell may train, so that the learning-rate schedule ends with the time. Or, with --steps, in equally many
steps at equal size: units are chosen so that each network has as many parameters as the one of the configuration.

Examples:
  python -m benchmarks.cells --source book.txt --seconds 75 --to benchmarks/results/cells
  python -m benchmarks.cells --source tfds:tiny_shakespeare --cells gru min_gru --seconds 300
  python -m benchmarks.cells --pipeline music_generation --config jsb \
      --source jsb_chorales --metric nats_per_step --steps 1000 --evaluate-every 100 --cells all
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.command import main
from benchmarks.pipeline_runs import Rows, rows_of, run_verb, runs_folder
from benchmarks.report import Report, table
from benchmarks.timing import say
from benchmarks.worker import BenchmarkError, Contestant, Worker

__all__ = [
    "FAMILIES",
    "add_arguments",
    "best_within",
    "fastest_step",
    "measure",
    "steps_within",
    "summarise",
    "units_for",
]

FAMILIES = ("tensorflow",)
CELLS = ("simple_rnn", "lstm", "gru", "min_gru", "layer_norm_lstm")
CONFIG = "rnnapps/tasks/text_generation/configs/quick.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("cells")
    group.add_argument("--pipeline", default="text_generation")
    group.add_argument("--source", default="builtin", help="data.source of the pipeline")
    group.add_argument("--cells", nargs="+", default=CELLS, metavar="CELL", help="names of cells, or all")
    group.add_argument("--config", default=CONFIG, help="configuration of the pipeline")
    group.add_argument(
        "--metric", default="nats_per_character", help="less is better; in equal time on validation data"
    )
    group.add_argument("--seconds", type=float, default=75.0, help="training wall time, evaluation included")
    group.add_argument("--steps", type=int, help="train for so many steps instead, at equal size; see above")
    group.add_argument("--evaluate-every", type=int, default=50, metavar="STEPS")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument(
        "--runs", type=Path, metavar="FOLDER", help="keep the runs of --steps, and go on with those there"
    )


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Trains each cell; `staff` idles meanwhile."""
    if options.quick:
        options.seconds, options.cells = 20.0, ["gru", "min_gru"]
    if "all" in options.cells:
        from rnnapps.cells import CELLS as KNOWN  # brings TensorFlow

        options.cells = list(KNOWN)
    if options.steps:
        return [_at_equal_size(staff["tensorflow"], options)]
    results: dict[str, Rows] = {}
    metric = f"validation_{options.metric}"
    for cell in options.cells:
        steps = steps_within(options.seconds, _timed_run(cell, 2 * options.evaluate_every, options))
        results[cell] = _timed_run(cell, steps, options)
        best = best_within(options.seconds, results[cell], metric)
        say(f"{cell}: {best[metric]:.3f} {_unit(options.metric)} after {best['step']} steps")
    return [summarise(results, options.seconds, options.source, metric)]


def steps_within(seconds: float, rows: Rows) -> int:
    """Steps, in whole intervals, that fit into the time, judging by the first two rows of a run."""
    first, second = rows[:2]
    interval = second["elapsed_seconds"] - first["elapsed_seconds"]
    start = max(0.0, first["elapsed_seconds"] - interval)
    return int(first["step"] * max(1, int((seconds - start) / interval)))


def best_within(seconds: float, rows: Rows, metric: str) -> Mapping[str, Any]:
    """The row with the best metric among those within the time.

    Raises:
        BenchmarkError: not one evaluation lies within the time.
    """
    within = [row for row in rows if row["elapsed_seconds"] <= seconds]
    if not within:
        raise BenchmarkError(f"no evaluation within {seconds} s; give more --seconds or a smaller --evaluate-every")
    return min(within, key=lambda row: float(row[metric]))


def fastest_step(rows: Rows) -> float:
    """Seconds of a step, evaluations included, in the fastest interval but the first, which compiles.

    What else a machine does makes intervals slower, never faster.
    """
    pairs = pairwise(rows)
    return min(float((b["elapsed_seconds"] - a["elapsed_seconds"]) / (b["step"] - a["step"])) for a, b in pairs)


def summarise(results: Mapping[str, Rows], seconds: float, source: str, metric: str) -> Report:
    """The table of cells, the best first."""
    best = {cell: best_within(seconds, rows, metric) for cell, rows in results.items()}
    order = sorted(best, key=lambda cell: float(best[cell][metric]))
    rows = [[c, f"{best[c][metric]:.3f}", str(best[c]["step"]), f"{best[c]['elapsed_seconds']:.0f}"] for c in order]
    text = table(["cell", _unit(metric.removeprefix("validation_")), "at step", "after s"], rows)
    figures = {"seconds": seconds, "runs": {cell: [dict(row) for row in run] for cell, run in results.items()}}
    return Report(f"Cells on {Path(source).name}, {seconds:.0f} s of training each", text, figures)


def units_for(parameters: int, count: Callable[[int], int]) -> int:
    """The number of units with which a network comes closest to a number of parameters.

    Args:
        parameters: the number.
        count: parameters of the network with so many units; rises with them.
    """
    low, high = 1, 2
    while count(high) <= parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= parameters else (low, middle)
    return min((low, high), key=lambda units: abs(count(units) - parameters))


def _at_equal_size(worker: Worker, options: argparse.Namespace) -> Report:
    """The table of cells with equally many parameters after equally many steps, the best first."""
    wanted, rows = _parameters(worker, options), list[dict[str, Any]]()
    for cell in options.cells:

        def count(units: int, cell: str = cell) -> int:
            return _parameters(worker, options, _sized(cell, units))

        units = units_for(wanted, count)
        parameters = count(units)
        with runs_folder(options.runs) as runs:
            run = runs / f"{cell}-{units}"
            flags = [*_sized(cell, units), "--training.steps", str(options.steps), "--run", str(run)]
            run_verb(options.pipeline, "train", [*_common(options), *flags])
            past = rows_of(run)
            score = json.loads(run_verb(options.pipeline, "evaluate", ["--run", str(run), "--json"]))[options.metric]
        times = {"seconds": past[-1]["elapsed_seconds"], "milliseconds_per_step": 1000 * fastest_step(past)}
        rows.append({"cell": cell, "units": units, "parameters": parameters, "score": score, **times})
        say(f"{cell}, {units} units: {score:.3f} {_unit(options.metric)} after {times['seconds']:.0f} s")
    ordered = sorted(rows, key=lambda row: float(row["score"]))
    header = ["cell", _unit(options.metric), "units", "parameters", "ms/step"]
    formats = {"cell": "", "score": ".3f", "units": ",", "parameters": ",", "milliseconds_per_step": ".0f"}
    text = table(header, [[f"{row[name]:{form}}" for name, form in formats.items()] for row in ordered])
    title = f"Cells on {Path(options.source).name}, {options.steps:,} steps each at equal size"
    return Report(title, text, {"steps": options.steps, "cells": ordered})


def _parameters(worker: Worker, options: argparse.Namespace, model_flags: Sequence[str] = ()) -> int:
    """Parameters of the network that the settings make; those of the configuration alone without further ones."""
    arguments = {"pipeline": options.pipeline, "flags": _common(options), "model_flags": list(model_flags)}
    network = Contestant("network", "tensorflow", "benchmarks.tensorflow_networks:network", arguments)
    return int(worker.make(network)["parameters"])


def _sized(cell: str, units: int) -> list[str]:
    """Flags that choose a cell and its size."""
    return ["--model.cell", cell, "--model.units", str(units)]


def _common(options: argparse.Namespace) -> list[str]:
    """Flags that all runs share."""
    flags = {
        "config": options.config,
        "data.source": options.source,
        "training.evaluate_every": options.evaluate_every,
        "seed": options.seed,
    }
    if options.pipeline == "text_generation":
        flags["model.blend"] = "none"  # what cells learn is compared, not what n-grams know
    return [part for name, value in flags.items() for part in (f"--{name}", str(value))]


def _timed_run(cell: str, steps: int, options: argparse.Namespace) -> Rows:
    """Runs the pipeline's `train` in a folder that is removed afterwards and returns its metrics."""
    with runs_folder(None) as folder:
        own = ["--model.cell", cell, "--training.steps", str(steps), "--run", str(folder / cell)]
        warmup = ["--training.warmup_steps", str(min(60, max(1, steps // 10)))]
        run_verb(options.pipeline, "train", [*_common(options), *own, *warmup])
        return rows_of(folder / cell)


def _unit(metric: str) -> str:
    """A metric's name as a unit: nats/character."""
    return metric.replace("_per_", "/").replace("_", " ")


if __name__ == "__main__":
    main(__doc__, FAMILIES, add_arguments, measure)
