from __future__ import annotations

import pytest

from rnnapps.cells import CELL_GROUPS, CELLS, GRU, make_cell
from rnnapps.errors import ConfigError


@pytest.mark.parametrize("name", CELLS)
def test_every_name_makes_a_cell(name: str) -> None:
    assert make_cell(name, 5).output_size == 5


def test_every_name_is_in_one_group() -> None:
    assert sorted(name for names in CELL_GROUPS.values() for name in names) == sorted(CELLS)


def test_options_reach_the_cell() -> None:
    cell = make_cell("gru_reset_before", 5, dtype="float64")
    assert isinstance(cell, GRU) and not cell.reset_after and cell.compute_dtype == "float64"


def test_unknown_name() -> None:
    with pytest.raises(ConfigError, match=r"unknown cell 'lstn': did you mean 'lstm'\? expected one of simple_rnn,"):
        make_cell("lstn", 5)
