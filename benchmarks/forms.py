"""What races of two forms of a kernel share: each form compiled by XLA and in a graph, over cases of given shapes."""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.problems import Case
from benchmarks.timing import Times, fastest, ratio

__all__ = ["Contestants", "add_cases", "compiled_and_not", "gain"]

Contestants = dict[str, dict[str, Any]]
"""The name of each contestant with what it is made with: `form` and `compiled`."""


def compiled_and_not(*forms: str) -> Contestants:
    """Each form as a program of XLA and in a graph."""
    return {
        f"{form} {where}": {"form": form, "compiled": where == "XLA"} for form in forms for where in ("XLA", "graph")
    }


def add_cases(parser: argparse._ArgumentGroup, flag: str, cases: str, shapes: str) -> None:
    """Adds the flag that says which cases are raced, by default `cases`; `shapes` is its help."""
    default = [Case.parse(text) for text in cases.split()]
    parser.add_argument(flag, nargs="+", type=Case.parse, default=default, metavar="CASE", help=shapes)


def gain(times: Times, form: str, other: str) -> float:
    """How many times as fast one form at its best is as the other at its best."""
    best, best_other = (fastest(times, [name for name in times if name.split()[0] == f]) for f in (form, other))
    return ratio(times[best_other], times[best])
