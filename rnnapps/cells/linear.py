"""The contract of a linear cell, whose time steps can be computed in parallel."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from rnnapps.cells.base import Cell
from rnnapps.types import Tensor

__all__ = ["LinearCell"]


class LinearCell(Cell):
    """Base class of cells that are linear in their own past: h_t = a_t * h_{t-1} + b_t, element by element.

    A subclass writes `coefficients(inputs)`, which sees the inputs only. All steps then follow from a parallel scan
    (Blelloch 1990; Martin & Cundy 2018, arXiv:1709.04057), and one step works like that of any other cell.

    States: h `(batch, units)`. Subclasses call `declare_units` in `__init__` and make all weights in `build`.
    """

    def declare_units(self, units: int) -> None:
        """Sets the sizes of the one state and of the output."""
        self.declare_states(units)
        self.units = self.recurrent_size = units

    def coefficients(self, inputs: Tensor, training: bool = False) -> tuple[Tensor, Tensor]:
        """Maps inputs `(..., features)` to the decay a and the input b of each step, each `(..., units)`."""
        raise NotImplementedError(f"{type(self).__name__} must define coefficients(inputs, training)")

    @property
    def takes_elapsed(self) -> bool:
        """Whether `coefficients` reads the time since the step before: whether it has a parameter `elapsed`."""
        return "elapsed" in inspect.signature(type(self).coefficients).parameters

    def project(self, inputs: Tensor, training: bool = False, **elapsed: Any) -> tuple[Tensor, Tensor]:
        """Returns (a, b), each `(..., units)`."""
        return self.coefficients(inputs, training=training, **elapsed)

    def recur(self, output: Tensor) -> tuple[()]:
        """Returns nothing: the past enters only element by element."""
        return ()

    def gates(
        self, projected: tuple[Tensor, Tensor], recurrent: tuple[()], states: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """The decay of the state `(..., units)`."""
        return {"forget": projected[0]}

    def update(
        self, projected: tuple[Tensor, Tensor], recurrent: tuple[()], states: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Returns the new state (a * h + b,)."""
        decay, driven = projected
        return (decay * states[0] + driven,)
