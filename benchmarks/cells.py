"""Which cell learns a text best in equal training time: the text generation pipeline, one run for each cell.

A short run measures how long an interval takes (steps and evaluation); from it follows for how many steps each cell
may train, so that the learning-rate schedule ends with the time. All else is equal.

Examples:
  python -m benchmarks.cells --source book.txt --seconds 75 --to benchmarks/results/cells
  python -m benchmarks.cells --source tfds:tiny_shakespeare --cells gru min_gru --seconds 300
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import main
from benchmarks.report import Report, table
from benchmarks.timing import say
from benchmarks.worker import BenchmarkError, Worker

__all__ = ["FAMILIES", "METRIC", "add_arguments", "best_within", "measure", "steps_within", "summarise"]

FAMILIES = ("tensorflow",)
METRIC = "validation_nats_per_character"
CELLS = ("simple_rnn", "lstm", "gru", "min_gru", "layer_norm_lstm")
CONFIG = "pipelines/configs/text_generation/quick.yaml"
ROOT = Path(__file__).parents[1]
Rows = Sequence[Mapping[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("cells")
    group.add_argument("--source", default="builtin", help="data.source of the pipeline")
    group.add_argument("--cells", nargs="+", default=CELLS, metavar="CELL")
    group.add_argument("--config", default=CONFIG, help="configuration of the pipeline")
    group.add_argument("--seconds", type=float, default=75.0, help="training wall time, evaluation included")
    group.add_argument("--evaluate-every", type=int, default=50, metavar="STEPS")
    group.add_argument("--seed", type=int, default=0)


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Trains each cell for the same time; `staff` idles meanwhile."""
    seconds, cells = (20.0, ["gru", "min_gru"]) if options.quick else (options.seconds, options.cells)
    results: dict[str, Rows] = {}
    for cell in cells:
        steps = steps_within(seconds, _train(cell, 2 * options.evaluate_every, options))
        results[cell] = _train(cell, steps, options)
        best = best_within(seconds, results[cell])
        say(f"{cell}: {best[METRIC]:.3f} nats/character after {best['step']} steps, {best['elapsed_seconds']:.0f} s")
    return [summarise(results, seconds, options.source)]


def steps_within(seconds: float, rows: Rows) -> int:
    """Steps, in whole intervals, that fit into the time, judging by the first two rows of a run."""
    first, second = rows[:2]
    interval = second["elapsed_seconds"] - first["elapsed_seconds"]
    start = max(0.0, first["elapsed_seconds"] - interval)
    return int(first["step"] * max(1, int((seconds - start) / interval)))


def best_within(seconds: float, rows: Rows) -> Mapping[str, Any]:
    """The row with the best metric among those within the time.

    Raises:
        BenchmarkError: not one evaluation lies within the time.
    """
    within = [row for row in rows if row["elapsed_seconds"] <= seconds]
    if not within:
        raise BenchmarkError(f"no evaluation within {seconds} s; give more --seconds or a smaller --evaluate-every")
    return min(within, key=lambda row: float(row[METRIC]))


def summarise(results: Mapping[str, Rows], seconds: float, source: str) -> Report:
    """The table of cells, the best first."""
    best = {cell: best_within(seconds, rows) for cell, rows in results.items()}
    order = sorted(best, key=lambda cell: float(best[cell][METRIC]))
    rows = [[c, f"{best[c][METRIC]:.3f}", str(best[c]["step"]), f"{best[c]['elapsed_seconds']:.0f}"] for c in order]
    text = table(["cell", "nats/character", "at step", "after s"], rows)
    figures = {"seconds": seconds, "runs": {cell: [dict(row) for row in run] for cell, run in results.items()}}
    return Report(f"Cells on {Path(source).name}, {seconds:.0f} s of training each", text, figures)


def _train(cell: str, steps: int, options: argparse.Namespace) -> Rows:
    """Runs the pipeline's `train` in a folder that is removed afterwards and returns its metrics."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / cell
        flags = {
            "config": options.config,
            "data.source": options.source,
            "model.cell": cell,
            "training.steps": steps,
            "training.evaluate_every": options.evaluate_every,
            "training.warmup_steps": min(60, max(1, steps // 10)),
            "seed": options.seed,
            "run": run,
        }
        command = [sys.executable, "-m", "pipelines.text_generation", "train"]
        command += [part for name, value in flags.items() for part in (f"--{name}", str(value))]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise BenchmarkError(f"training {cell} ended with code {result.returncode}: {result.stderr[-1000:]}")
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main(__doc__, FAMILIES, add_arguments, measure)
