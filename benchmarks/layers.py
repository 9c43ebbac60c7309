"""Time of one recurrent layer: training step and forward pass, beside Keras and PyTorch.

A training step is the forward pass, the mean square of all outputs, and the gradients of the inputs and of all
weights, for everyone alike. All contestants of a race hold the same weights, and before anything is timed their
outputs and gradients are compared.

Examples:
  python -m benchmarks.layers --quick                      one small case, three repetitions
  python -m benchmarks.layers --to benchmarks/results/now  everything, as now.md and now.json
  python -m benchmarks.layers --cells lstm --cases 16x50,64-128 1x100,128-128 --passes training --ours graph
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.command import main, timed
from benchmarks.problems import CASES, Case
from benchmarks.report import Report, table
from benchmarks.timing import Times, fastest, geometric_mean, milliseconds, ratio
from benchmarks.worker import Contestant, Worker

__all__ = ["FAMILIES", "add_arguments", "measure", "summarise", "summarise_own_cells"]

FAMILIES = ("tensorflow", "torch")
STOCK_CELLS = ("lstm", "gru", "simple_rnn")
OWN_CELLS = ("layer_norm_lstm", "peephole_lstm")
PASSES = ("training", "forward")
KERAS = ("Keras graph", "Keras XLA")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("layers")
    cases = "batch x time, features-units, e.g. 64x100,256-256"
    group.add_argument("--cells", nargs="+", choices=STOCK_CELLS + OWN_CELLS, default=STOCK_CELLS + OWN_CELLS)
    group.add_argument("--cases", nargs="+", type=Case.parse, default=CASES, metavar="CASE", help=cases)
    group.add_argument("--passes", nargs="+", choices=PASSES, default=PASSES)
    group.add_argument(
        "--ours",
        choices=("auto", "xla", "nested", "graph"),
        default="auto",
        help="how our layer runs: as it would by itself, the whole step compiled, only its loops, or nothing",
    )


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Runs the races and reports them."""
    cases = [CASES[2]] if options.quick else options.cases
    reports = []
    for which in options.passes:
        stock = [cell for cell in STOCK_CELLS if cell in options.cells]
        own = [cell for cell in OWN_CELLS if cell in options.cells and which == "training"]
        if stock:
            races = {
                (cell, case): _race(staff, cell, case, which=which, options=options) for case in cases for cell in stock
            }
            reports.append(summarise(f"Layers: {which}", races))
        if own:
            races = {(cell, case): _own_race(staff, cell, case, options) for case in cases for cell in own}
            reports.append(summarise_own_cells("Layers: cells that other frameworks lack, training", races))
    return reports


def summarise(title: str, races: Mapping[tuple[str, Case], Times]) -> Report:
    """The table of our layers beside Keras's and PyTorch's; how many times as fast we are."""
    rows = []
    gains: dict[str, list[tuple[float, str]]] = {"Keras": [], "PyTorch": []}
    for (cell, case), times in races.items():
        keras = fastest(times, KERAS)
        for rival, name in (("Keras", keras), ("PyTorch", "PyTorch")):
            gains[rival].append((ratio(times[name], times["ours"]), f"{cell} {case}"))
        middle = [milliseconds(times["ours"]), milliseconds(times[keras]), keras, milliseconds(times["PyTorch"])]
        rows.append([f"{cell} {case}", *middle, *(f"{gains[rival][-1][0]:.2f}" for rival in gains)])
    header = ["batch x time, features-units", "ours ms", "Keras ms", "faster of", "PyTorch ms", "x Keras", "x PyTorch"]
    means = {rival: _overview(values) for rival, values in gains.items()}
    lines = [f"- beside {rival}: {mean['text']}" for rival, mean in means.items()]
    return Report(title, "\n".join([table(header, rows), "", *lines]), {"races": _named(races), "overview": means})


def summarise_own_cells(title: str, races: Mapping[tuple[str, Case], Times]) -> Report:
    """The table of cells beside our own LSTM and beside the same cell in `keras.layers.RNN`."""
    rows: list[list[str]] = []
    gains: list[tuple[float, str]] = []
    for (cell, case), times in races.items():
        keras = fastest(times, KERAS)
        gain, cost = ratio(times[keras], times["ours"]), ratio(times["ours"], times["our LSTM"])
        gains.append((gain, f"{cell} {case}"))
        columns = [times["ours"], times["our LSTM"], times[keras]]
        rows.append([f"{cell} {case}", *map(milliseconds, columns), keras, f"{cost:.2f}", f"{gain:.2f}"])
    header = ["cell", "ours ms", "our LSTM ms", "keras.layers.RNN ms", "faster of", "time / LSTM", "x keras.layers.RNN"]
    mean = _overview(gains)
    text = f"{table(header, rows)}\n\n- beside the same cell in keras.layers.RNN: {mean['text']}"
    return Report(title, text, {"races": _named(races), "overview": mean})


def _race(staff: Mapping[str, Worker], cell: str, case: Case, *, which: str, options: argparse.Namespace) -> Times:
    """Our layer, Keras's in both forms and PyTorch's, on one problem."""
    problem = _problem(cell, case, which)
    torch = Contestant("PyTorch", "torch", "benchmarks.torch_layers:torch_layer", problem)
    return timed(
        staff, f"{cell} {case} {which}", [_ours(problem, options), *_keras("keras_layer", problem), torch], options
    )


def _own_race(staff: Mapping[str, Worker], cell: str, case: Case, options: argparse.Namespace) -> Times:
    """A cell in our layer and in Keras's generic loop, and our LSTM."""
    problem = _problem(cell, case, "training")
    lstm = _ours(_problem("lstm", case, "training"), options, name="our LSTM", compared=False)
    contestants = [_ours(problem, options), *_keras("keras_loop", problem), lstm]
    return timed(staff, f"{cell} {case} training", contestants, options)


def _problem(cell: str, case: Case, which: str) -> dict[str, Any]:
    """What every contestant of a race is told."""
    return {"cell": cell, "case": str(case), "training": which == "training"}


def _ours(
    problem: dict[str, Any], options: argparse.Namespace, *, name: str = "ours", compared: bool = True
) -> Contestant:
    """Our layer."""
    arguments = problem | {"mode": options.ours}
    return Contestant(name, "tensorflow", "benchmarks.tensorflow_layers:ours", arguments, compared)


def _keras(factory: str, problem: dict[str, Any]) -> list[Contestant]:
    """A Keras layer in a graph and compiled."""
    return [
        Contestant(name, "tensorflow", f"benchmarks.tensorflow_layers:{factory}", problem | {"compiled": compiled})
        for name, compiled in zip(KERAS, (False, True), strict=True)
    ]


def _overview(gains: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Geometric mean and lowest of (times as fast, where)."""
    mean, (lowest, where) = geometric_mean([gain for gain, _ in gains]), min(gains)
    text = f"{mean:.2f} times as fast (geometric mean), least {lowest:.2f} ({where})"
    return {"geometric_mean": mean, "least": lowest, "least_at": where, "text": text}


def _named(races: Mapping[tuple[str, Case], Times]) -> dict[str, Times]:
    """The races by text, as JSON wants it."""
    return {f"{cell} {case}": dict(times) for (cell, case), times in races.items()}


if __name__ == "__main__":
    main(__doc__, FAMILIES, add_arguments, measure)
