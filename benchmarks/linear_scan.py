"""The linear recurrence of minGRU and minLSTM step by step and as an associative scan: forward and backward.

Shows which form `rnnapps.kernels.choice.kernel_for` should choose on this machine, and which it does choose.

Examples:
  python -m benchmarks.linear_scan --quick
  python -m benchmarks.linear_scan --scan-cases 1x4096,1-64 64x256,1-256
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from benchmarks.command import main, timed
from benchmarks.forms import add_cases, compiled_and_not, gain
from benchmarks.problems import Case
from benchmarks.report import Report, table
from benchmarks.timing import Times, fastest, milliseconds
from benchmarks.worker import Contestant, Worker

__all__ = ["CONTESTANTS", "FAMILIES", "add_arguments", "measure", "summarise"]

FAMILIES = ("tensorflow",)
CONTESTANTS = compiled_and_not("sequential", "parallel")
DEFAULTS = "64x100,1-256 16x1000,1-256 1x1000,1-64 1x4096,1-256 256x64,1-64"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of this benchmark."""
    group = parser.add_argument_group("linear scan")
    add_cases(group, "--scan-cases", DEFAULTS, "batch x time, 1-units, e.g. 64x100,1-256")


def measure(staff: Mapping[str, Worker], options: argparse.Namespace) -> list[Report]:
    """Runs the races and reports them."""
    cases = [Case.parse("4x100,1-32")] if options.quick else options.scan_cases
    races = {}
    for case in cases:
        contestants = [
            Contestant(name, "tensorflow", "benchmarks.tensorflow_scan:scan", {"case": str(case), **arguments})
            for name, arguments in CONTESTANTS.items()
        ]
        races[case] = timed(staff, f"linear scan {case}", contestants, options)
    return [summarise(races)]


def summarise(races: Mapping[Case, Times]) -> Report:
    """The table of times and what follows from it."""
    rows, best = [], {}
    for case, times in races.items():
        best[str(case)] = fastest(times, list(CONTESTANTS))
        shape = f"{case.batch}x{case.time}, {case.units}"
        times_as_fast = gain(times, "parallel", "sequential")
        rows.append([shape, *(milliseconds(times[name]) for name in CONTESTANTS), f"{times_as_fast:.2f}"])
    header = ["batch x time, units", *(f"{name} ms" for name in CONTESTANTS), "best parallel x best sequential"]
    wins = [case for case, name in best.items() if name.startswith("parallel")]
    verdict = (
        "The parallel form is never faster: " if not wins else f"The parallel form is faster for {', '.join(wins)}: "
    )
    advice = (
        "kernel_for, which chooses the sequential form by itself, is right here."
        if not wins
        else ('kernel_for chooses the sequential form by itself; kernel="parallel" is worth asking for there.')
    )
    figures = {"races": {str(case): dict(times) for case, times in races.items()}, "fastest": best}
    return Report("Linear scan: forward and backward", f"{table(header, rows)}\n\n{verdict}{advice}", figures)


if __name__ == "__main__":
    main(__doc__, FAMILIES, add_arguments, measure)
