"""Recurrent cells, one file each, and the table of their names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from rnnapps.cells.base import Cell
from rnnapps.cells.dense import DenseCell
from rnnapps.cells.gru import GRU
from rnnapps.cells.ind_rnn import IndRNN
from rnnapps.cells.layer_norm_gru import LayerNormGRU
from rnnapps.cells.layer_norm_lstm import LayerNormLSTM
from rnnapps.cells.linear import LinearCell
from rnnapps.cells.lstm import LSTM
from rnnapps.cells.mgu import MGU
from rnnapps.cells.min_gru import MinGRU
from rnnapps.cells.min_lstm import MinLSTM
from rnnapps.cells.peephole_lstm import PeepholeLSTM
from rnnapps.cells.projection import Projection
from rnnapps.cells.residual import Residual
from rnnapps.cells.simple_rnn import SimpleRNN
from rnnapps.cells.wrapper import Wrapper
from rnnapps.cells.zoneout import Zoneout
from rnnapps.errors import ConfigError

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "MGU",
    "Cell",
    "DenseCell",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "LinearCell",
    "MinGRU",
    "MinLSTM",
    "PeepholeLSTM",
    "Projection",
    "Residual",
    "SimpleRNN",
    "Wrapper",
    "Zoneout",
    "make_cell",
]


def _gru_reset_before(units: int, **options: Any) -> GRU:
    """Gated recurrent unit that resets before the matrix product, as first published (arXiv:1406.1078v1)."""
    return GRU(units, reset_after=False, **options)


CELLS: dict[str, Callable[..., Cell]] = {
    "simple_rnn": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "gru_reset_before": _gru_reset_before,
    "peephole_lstm": PeepholeLSTM,
    "layer_norm_lstm": LayerNormLSTM,
    "layer_norm_gru": LayerNormGRU,
    "ind_rnn": IndRNN,
    "mgu": MGU,
    "min_gru": MinGRU,
    "min_lstm": MinLSTM,
}


def make_cell(name: str, units: int, /, **options: Any) -> Cell:
    """Makes a cell by its name in `CELLS`.

    Args:
        name: one of the names in `CELLS`.
        units: size of the cell's state.
        **options: further arguments of the cell's constructor, `name` of the layer among them.

    Raises:
        ConfigError: there is no such cell, or the number of units is not a positive integer.
    """
    if name not in CELLS:
        near = difflib.get_close_matches(name, CELLS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"unknown cell {name!r}: {hint}expected one of {', '.join(CELLS)}")
    return CELLS[name](units, **options)
