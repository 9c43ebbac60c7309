"""Cells with a matrix memory by chunks of time and step by step: forward and backward.

Examples:
  python -m benchmarks.matrix_memory --quick
  python -m benchmarks.matrix_memory --matrix-cells m_lstm mamba2 --matrix-cases 4x1024,64-64
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from benchmarks.command import main, timed
from benchmarks.forms import add_cases, compiled_and_not, gain
from benchmarks.problems import Case
from benchmarks.report import Report, table
from benchmarks.timing import Times, milliseconds
from benchmarks.worker import Contestant, Worker

__all__ = ["CONTESTANTS", "FAMILIES", "add_arguments", "measure", "summarise"]

FAMILIES = ("tensorflow",)
CONTESTANTS = compiled_and_not("chunks", "steps")
KINDS = ("mamba2", "m_lstm", "gated_delta_net", "gated_linear_attention", "rwkv7")
DEFAULTS = "4x1024,64-64 32x128,128-128 16x512,128-128"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("matrix memory")
    add_cases(group, "--matrix-cases", DEFAULTS, "batch x time, features-units, e.g. 4x1024,64-64")
    group.add_argument("--matrix-cells", nargs="+", choices=KINDS, default=KINDS)


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Runs the races and reports them."""
    cases = [Case.parse("2x100,8-8")] if options.quick else options.matrix_cases
    races = {}
    for case in cases:
        for cell in options.matrix_cells:
            made = {"case": str(case), "cell": cell}
            contestants = [
                Contestant(name, "tensorflow", "benchmarks.tensorflow_memory:scan", {**made, **arguments})
                for name, arguments in CONTESTANTS.items()
            ]
            races[case, cell] = timed(staff, f"{cell} {case}", contestants, options)
    return [summarise(races)]


def summarise(races: Mapping[tuple[Case, str], Times]) -> Report:
    """The table of times, and how much faster chunks are."""
    rows, gains = [], {}
    for (case, cell), times in races.items():
        times_as_fast = gains[f"{cell} {case}"] = gain(times, "chunks", "steps")
        shape = f"{case.batch}x{case.time}, {case.units}"
        rows.append([cell, shape, *(milliseconds(times[name]) for name in CONTESTANTS), f"{times_as_fast:.2f}"])
    header = ["cell", "batch x time, units", *(f"{name} ms" for name in CONTESTANTS), "best chunks x best steps"]
    figures = {"races": {f"{cell} {case}": dict(times) for (case, cell), times in races.items()}, "gains": gains}
    return Report("Matrix memories: forward and backward", table(header, rows), figures)


if __name__ == "__main__":
    main(__doc__, FAMILIES, add_arguments, measure)
