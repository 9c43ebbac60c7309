"""Peak memory of a training step of one recurrent layer, each contestant in a process of its own.

"step" is by how much the resident memory rises within one step (inputs and weights exist before it), "process" the
peak of the whole process, framework included.

Examples:
  python -m benchmarks.memory --quick
  python -m benchmarks.memory --memory-cells lstm --memory-cases 16x1000,128-256 --recompute-every 32
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from benchmarks.command import main
from benchmarks.layers import STOCK_CELLS
from benchmarks.problems import CASES, Case
from benchmarks.report import Report, table
from benchmarks.timing import say
from benchmarks.worker import Contestant, Worker, workers

__all__ = ["FAMILIES", "add_arguments", "contestants", "measure", "summarise"]

FAMILIES = ("tensorflow", "torch")
LONG = Case(16, 1000, 128, 256)
# Freed memory goes back to the system at once, so that a second step shows what it needs: TensorFlow's pool for oneDNN
# only grows, and glibc keeps small and medium blocks.
NO_POOLS = {"TF_ENABLE_ONEDNN_OPTS": "0", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
Use = Mapping[str, int | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("memory")
    group.add_argument("--memory-cells", nargs="+", choices=STOCK_CELLS, default=STOCK_CELLS)
    group.add_argument("--memory-cases", nargs="+", type=Case.parse, default=(CASES[0], LONG), metavar="CASE")
    group.add_argument("--recompute-every", type=int, default=32, metavar="STEPS", help="also ours, recomputing")


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Measures one contestant after the other; `staff` is not used, its processes remember what ran in them."""
    cases, cells = ([CASES[2]], ["gru"]) if options.quick else (options.memory_cases, options.memory_cells)
    uses: dict[tuple[str, Case], dict[str, Use]] = {}
    for case in cases:
        for cell in cells:
            uses[cell, case] = {c.name: _use(c) for c in contestants(cell, case, options.recompute_every)}
            say(f"memory {cell} {case}: " + ", ".join(f"{name} {_cell(use)}" for name, use in uses[cell, case].items()))
    return [summarise(uses)]


def contestants(cell: str, case: Case, recompute_every: int) -> list[Contestant]:
    """Ours, ours with recomputation, both Keras forms and PyTorch."""
    problem: dict[str, Any] = {"cell": cell, "case": str(case), "training": True}
    ours, keras = "benchmarks.tensorflow_layers:ours", "benchmarks.tensorflow_layers:keras_layer"
    return [
        Contestant("ours", "tensorflow", ours, problem),
        Contestant(
            f"ours, every {recompute_every}", "tensorflow", ours, problem | {"recompute_every": recompute_every}
        ),
        Contestant("Keras graph", "tensorflow", keras, problem | {"compiled": False}),
        Contestant("Keras XLA", "tensorflow", keras, problem | {"compiled": True}),
        Contestant("PyTorch", "torch", "benchmarks.torch_layers:torch_layer", problem),
    ]


def summarise(uses: Mapping[tuple[str, Case], Mapping[str, Use]]) -> Report:
    """The table of megabytes, step / process."""
    names = list(next(iter(uses.values())))
    rows = [[f"{cell} {case}", *(_cell(use) for use in row.values())] for (cell, case), row in uses.items()]
    figures = {f"{cell} {case}": dict(row) for (cell, case), row in uses.items()}
    return Report("Memory of a training step: step / process, MB", table(["case", *names], rows), figures)


def _use(contestant: Contestant) -> Use:
    """Memory of one contestant in a process of its own."""
    with workers([contestant.family], environment=NO_POOLS) as staff:
        staff[contestant.family].make(contestant)
        return staff[contestant.family].memory(contestant.name)


def _cell(use: Use) -> str:
    """Step and process, in MB."""
    figures = (use["rise"], use["peak"])
    return " / ".join("?" if figure is None else f"{figure / 1e6:,.0f}" for figure in figures)


if __name__ == "__main__":
    main(__doc__, (), add_arguments, measure)
