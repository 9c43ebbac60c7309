"""Characters per second of a GRU that writes text, beside a Python loop around one TensorFlow step, and PyTorch's loop.

The Python loop is that of TensorFlow's tutorial "Text generation with an RNN". All hold the same weights, and their
logits are compared before anything is timed. Every loop samples at temperature 1.

Examples:
  python -m benchmarks.generation --quick
  python -m benchmarks.generation --batches 1 8 --units 1024 --vocabulary 66
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict

from benchmarks.command import main, timed
from benchmarks.problems import Writer
from benchmarks.report import Report, table
from benchmarks.timing import Times, per_call, ratio
from benchmarks.worker import Contestant, Worker

__all__ = ["FAMILIES", "add_arguments", "measure", "summarise"]

FAMILIES = ("tensorflow", "torch")
CONTESTANTS = {
    "ours": "benchmarks.tensorflow_generation:our_loop",
    "one-step tf.function": "benchmarks.tensorflow_generation:one_step_function",
    "PyTorch": "benchmarks.torch_generation:torch_loop",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("generation")
    group.add_argument("--batches", nargs="+", type=int, default=(1, 8), metavar="ROWS", help="texts written at once")
    group.add_argument("--writer-units", type=int, default=Writer.units, metavar="N", help="size of the GRU")
    group.add_argument("--vocabulary", type=int, default=Writer.vocabulary, metavar="N", help="distinct characters")
    group.add_argument("--length", type=int, default=300, metavar="N", help="characters of each text")


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Runs the races and reports them."""
    units, length = (128, 40) if options.quick else (options.writer_units, options.length)
    writer = Writer(vocabulary=options.vocabulary, units=units)
    races = {}
    for batch in options.batches:
        arguments = {"writer": asdict(writer), "batch": batch, "length": length}
        contestants = [
            Contestant(name, "torch" if name == "PyTorch" else "tensorflow", factory, arguments)
            for name, factory in CONTESTANTS.items()
        ]
        races[batch] = timed(staff, f"generation, batch {batch}, {length} characters", contestants, options)
    return [summarise(f"Generation: GRU {units}, vocabulary {writer.vocabulary}", races, length)]


def summarise(title: str, races: Mapping[int, Times], length: int) -> Report:
    """The table of characters per second; `races` by batch, each turn `batch * length` characters."""
    rows, gains = [], {}
    for batch, times in races.items():
        speeds = [f"{batch * length / per_call(times[name]):,.0f}" for name in CONTESTANTS]
        gains[batch] = {name: ratio(times[name], times["ours"]) for name in CONTESTANTS if name != "ours"}
        rows.append([str(batch), *speeds, *(f"{gain:.2f}" for gain in gains[batch].values())])
    header = [
        "batch",
        *(f"{name} chars/s" for name in CONTESTANTS),
        *(f"x {name}" for name in CONTESTANTS if name != "ours"),
    ]
    figures = {"length": length, "races": {str(b): dict(t) for b, t in races.items()}, "times as fast": gains}
    return Report(title, table(header, rows), figures)


if __name__ == "__main__":
    main(__doc__, FAMILIES, add_arguments, measure)
