"""Time of the first training step of a new model: what is traced and compiled before anything is trained.

Each turn makes a model of one recurrent layer and a dense one and fits it for a single step.

Examples:
  python -m benchmarks.first_fit --quick
  python -m benchmarks.first_fit --fit-cells lstm --fit-batches 16 64
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.command import main, timed
from benchmarks.layers import STOCK_CELLS
from benchmarks.report import Report, table
from benchmarks.timing import Times, geometric_mean, milliseconds, ratio
from benchmarks.worker import Contestant, Worker

__all__ = ["FAMILIES", "FirstFit", "add_arguments", "measure", "summarise"]

FAMILIES = ("tensorflow",)
UNITS, FEATURES, STEPS = 64, 16, 30
NAMES = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("first fit")
    group.add_argument("--fit-cells", nargs="+", choices=STOCK_CELLS, default=STOCK_CELLS)
    group.add_argument("--fit-batches", nargs="+", type=int, default=(16, 64), metavar="ROWS")


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Runs the races and reports them."""
    cells: Sequence[str] = ["gru"] if options.quick else options.fit_cells
    batches: Sequence[int] = [16] if options.quick else options.fit_batches
    races = {(cell, batch): _race(staff, cell, batch, options) for batch in batches for cell in cells}
    return [summarise(races)]


def summarise(races: Mapping[tuple[str, int], Times]) -> Report:
    """The table of milliseconds, and how many times as long as Keras's ours takes."""
    costs = {key: ratio(times["ours"], times["Keras"]) for key, times in races.items()}
    rows = [
        [
            f"{cell}, batch {batch}",
            milliseconds(times["ours"]),
            milliseconds(times["Keras"]),
            f"{costs[cell, batch]:.2f}",
        ]
        for (cell, batch), times in races.items()
    ]
    text = table(["case", "ours ms", "Keras ms", "time / Keras"], rows)
    text += f"\n\n- geometric mean of time / Keras: {geometric_mean(list(costs.values())):.2f}"
    figures = {f"{cell} {batch}": dict(times) for (cell, batch), times in races.items()}
    return Report("First step of fit", text, figures)


def _race(staff: Mapping[str, Worker], cell: str, batch: int, options: argparse.Namespace) -> Times:
    """Our layer and Keras's, each a new one in every turn."""
    factory = "benchmarks.first_fit:FirstFit"
    contestants = [
        Contestant(name, "tensorflow", factory, {"cell": cell, "batch": batch, "ours": name == "ours"}, compared=False)
        for name in ("ours", "Keras")
    ]
    return timed(staff, f"first fit {cell} {batch}", contestants, options)


class FirstFit:
    """Makes a model and fits it for one step.

    Args:
        cell: name of the cell.
        batch: rows of the one batch.
        ours: our layer, or Keras's.
    """

    def __init__(self, *, cell: str, batch: int, ours: bool) -> None:
        import numpy as np

        self._cell, self._batch, self._ours = cell, batch, ours
        random = np.random.default_rng(0)
        self._inputs = random.normal(size=(batch, STEPS, FEATURES)).astype(np.float32)
        self._targets = random.normal(size=(batch, 1)).astype(np.float32)

    def run(self) -> None:
        """One first step."""
        import keras

        from rnnapps import layers

        layer: Any = getattr(layers if self._ours else keras.layers, NAMES[self._cell])(UNITS)
        inputs = keras.Input((STEPS, FEATURES), batch_size=self._batch)
        model = keras.Sequential([inputs, layer, keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(self._inputs, self._targets, batch_size=self._batch, epochs=1, verbose=0)

    def answers(self) -> dict[str, float]:
        """None: new models differ."""
        return {}


if __name__ == "__main__":
    main(__doc__ or "", FAMILIES, add_arguments, measure)
