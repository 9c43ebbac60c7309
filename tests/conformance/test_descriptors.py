"""No public cell and no property is left untested."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps import cells
from rnnapps.cells import CELLS, Cell
from rnnapps.testing import CELL_PROPERTIES
from tests.conformance.descriptors import ROWS

CONTRACTS = {
    *(cells.Cell, cells.DenseCell, cells.DiagonalCell, cells.HeadsCell, cells.LinearCell, cells.MapCell),
    *(cells.MatrixLinearCell, cells.TimedDenseCell, cells.Wrapper),
}
PUBLIC = {value for value in vars(cells).values() if isinstance(value, type) and issubclass(value, Cell)}


@pytest.mark.parametrize("cell", sorted(PUBLIC - CONTRACTS, key=lambda cell: cell.__name__))
def test_every_public_cell_has_a_row(cell: type[Cell]) -> None:
    made = {type(make()) for make, _ in ROWS.values()}
    assert cell in made, f"add a row for {cell.__name__} to tests/conformance/descriptors.py"


def test_every_name_has_a_row() -> None:
    assert CELLS.keys() <= ROWS.keys()


def test_every_cell_is_exported() -> None:
    assert {cell.__name__ for cell in PUBLIC} <= set(cells.__all__)


def test_every_property_has_a_file() -> None:
    files = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert CELL_PROPERTIES.keys() <= files
