"""What a request to a music model may ask for."""

from __future__ import annotations

from rnnapps.contract.endpoint import RowRule
from rnnapps.export.row_rules import between
from rnnapps.types import NamedTensors, Tensor

__all__ = ["DEFAULTS", "WISHES", "wishes", "written"]

WISHES = {"temperature": 1.0, "top_p": 1.0}
"""Values that are always allowed."""

DEFAULTS = {"temperature": 1.0, "top_p": 0.95, "seed": 0, "steps": 64, "midi_bytes": ""}


def written(name: str) -> str:
    """The output that goes on from an input."""
    return f"written_{name}"


def wishes(count: str = "", most: int = 0) -> tuple[RowRule, ...]:
    """What must hold of how, and how much, is to be written.

    Args:
        count: name of the input that says how much, if there is one.
        most: the most of it.
    """

    def outside(inputs: NamedTensors) -> Tensor:
        top_p = inputs["top_p"]
        return ~((top_p > 0) & (top_p <= 1))

    how_much = (between(count, 1, most),) if count else ()
    return (
        *how_much,
        between("temperature", 0),
        RowRule("top_p must be above 0 and at most 1", outside, bounds="top_p"),
    )
