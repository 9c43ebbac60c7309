"""What all benchmarks share on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.report import Report, machine, write
from benchmarks.timing import Times, milliseconds, race, say
from benchmarks.worker import BenchmarkError, Contestant, Worker, workers

__all__ = ["Measure", "main", "parser", "report_all", "timed"]

Measure = Callable[[Mapping[str, Worker], argparse.Namespace], list[Report]]


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with the shared flags; `description` may end with examples."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="small cases, three repetitions: does everything work?")
    made.add_argument("--repetitions", type=int, metavar="N", help="turns of each contestant (default 7)")
    made.add_argument("--to", type=Path, metavar="PATH", help="write PATH.md and PATH.json")
    return made


def main(
    description: str,
    families: Sequence[str],
    add_arguments: Callable[[argparse.ArgumentParser], None],
    measure: Measure,
) -> None:
    """Runs one benchmark as a command: progress on standard error, the tables on standard output."""
    made = parser(description)
    add_arguments(made)
    report_all(families, [measure], made.parse_args())


def report_all(families: Sequence[str], measures: Sequence[Measure], options: argparse.Namespace) -> None:
    """Runs benchmarks in one set of worker processes; what is finished is written even if the next one fails."""
    options.repetitions = options.repetitions or (3 if options.quick else 7)
    reports: list[Report] = []
    try:
        with workers(families) as staff:
            where = machine(staff)
            for measure in measures:
                reports += measure(staff, options)
                text = write(reports, where, options.to)
    except (BenchmarkError, KeyboardInterrupt) as error:
        say(f"benchmark stopped: {error or 'interrupted'}")
        sys.exit(1)
    print(text)


def timed(
    staff: Mapping[str, Worker], label: str, contestants: Sequence[Contestant], options: argparse.Namespace
) -> Times:
    """Runs a race and shows its medians as progress."""
    times = race(staff, contestants, repetitions=options.repetitions)
    say(f"{label}: " + ", ".join(f"{name} {milliseconds(turns)} ms" for name, turns in times.items()))
    return times
