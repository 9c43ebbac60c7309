"""The conformance suite of cells, for those of this package and for anyone's own.

from rnnapps.testing import check_cell

def test_my_cell():
    check_cell(MyCell(4))
"""

from __future__ import annotations

from collections.abc import Callable

from rnnapps.cells import Cell
from rnnapps.testing import contract, layers, sequences
from rnnapps.testing.subject import Subject

__all__ = ["CELL_PROPERTIES", "Subject", "check_cell"]

CELL_PROPERTIES: dict[str, Callable[[Subject], None]] = {
    "config": contract.check_config,
    "declarations": contract.check_declarations,
    "weights": contract.check_weights,
    "linear_recurrence": contract.check_linear_recurrence,
    "rows": contract.check_rows,
    "call": contract.check_call,
    "parity": sequences.check_parity,
    "compiled": sequences.check_compiled,
    "masks": sequences.check_masks,
    "split": sequences.check_split,
    "stock_layer": layers.check_stock_layer,
    "mixed_precision": layers.check_mixed_precision,
    "file": layers.check_file,
    "export": layers.check_export,
}


def check_cell(cell: Cell, *, features: int = 3) -> None:
    """Checks a cell against every property in `CELL_PROPERTIES`, on small float32 problems; takes seconds.

    The cell itself is only read: copies made from its config are built and run.

    Args:
        cell: the cell, with a few units (3 to 8) so that the check is quick.
        features: number of input features; give the number of units where the cell needs them equal (`Residual`).

    Raises:
        AssertionError: a property does not hold; the message says which, by how much, and what to fix.
    """
    subject = Subject(cell, features)
    for check in CELL_PROPERTIES.values():
        check(subject)
