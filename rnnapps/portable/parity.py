"""Answers of another runtime beside those of the model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.export.parity import differences
from rnnapps.portable.static import Case, StaticGraph
from rnnapps.types import Array, Arrays

__all__ = ["TOLERANCE", "compare", "unless_far"]

TOLERANCE = 1e-5
"""Largest difference of floats, as a share of the largest value of an output, or of 1 if that is larger."""

LOOSE = 0.25
"""The same where weights have 8 bits: what differs more is no rounding but a fault."""

Run = Callable[[Arrays], Mapping[str, Array]]
"""Maps the inputs of one row to its outputs, by name."""


def compare(file: str, static: StaticGraph, run: Run, *, exact: bool = True) -> float:
    """Runs all cases of a graph, each alone.

    Args:
        file: what is tried, for the error.
        static: the graph with its cases.
        run: the other runtime.
        exact: hold floats to `TOLERANCE`, and all else to equality; or floats alone, and them loosely.

    Returns:
        The largest difference of floats, as `TOLERANCE` measures it.

    Raises:
        ExportError: an answer differs.
    """
    worst = 0.0
    for number, case in enumerate(static.cases):
        outputs = {name: np.asarray(value) for name, value in run(case.inputs).items()}
        for line in differences(*_compared(case, outputs, exact), tolerance=TOLERANCE if exact else LOOSE):
            raise ExportError(
                f"{file}: example {number} is answered otherwise than by the model: {line}; it is not written"
            )
        worst = max(worst, *(_distance(value, outputs[name]) for name, value in case.outputs.items()))
    return worst


def _compared(case: Case, outputs: Arrays, exact: bool) -> tuple[Arrays, Arrays]:
    """Expected and found values that are held to be alike."""
    names = [name for name, value in case.outputs.items() if exact or value.dtype.kind == "f"]
    return {name: case.outputs[name] for name in names}, {name: outputs[name] for name in names}


def _distance(expected: Array, found: Array) -> float:
    """Largest difference of floats as a share of the largest of them, or of 1; 0 of other types."""
    if expected.dtype.kind != "f" or not expected.size:
        return 0.0
    wide = expected.astype(np.float64)
    return float(np.abs(wide - found).max() / max(1.0, float(np.abs(wide).max())))


def unless_far(write: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """What is known of a file with 8-bit weights; nothing, and a line for the user, where they change too much."""
    try:
        return [write()]
    except ExportError as error:
        print(f"left out: {error}", file=sys.stderr)
        return []
