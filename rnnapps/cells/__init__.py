"""Recurrent cells, one file each, and the table of their names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from rnnapps.cells.antisymmetric_rnn import AntisymmetricRNN
from rnnapps.cells.base import Cell
from rnnapps.cells.cfc import CfC
from rnnapps.cells.conv_gru import ConvGRU
from rnnapps.cells.conv_lstm import ConvLSTM
from rnnapps.cells.coupled_lstm import CoupledLSTM
from rnnapps.cells.delta_net import DeltaNet
from rnnapps.cells.dense import DenseCell
from rnnapps.cells.diagonal import DiagonalCell
from rnnapps.cells.echo_state import EchoState, SpectralRadius
from rnnapps.cells.elapsed import Elapsed
from rnnapps.cells.fast_grnn import FastGRNN
from rnnapps.cells.gated_delta_net import GatedDeltaNet
from rnnapps.cells.gated_linear_attention import GatedLinearAttention
from rnnapps.cells.gru import GRU
from rnnapps.cells.gru_d import GRUD
from rnnapps.cells.heads import HeadsCell
from rnnapps.cells.ind_rnn import IndRNN
from rnnapps.cells.initializers import Chrono
from rnnapps.cells.layer_norm_gru import LayerNormGRU
from rnnapps.cells.layer_norm_lstm import LayerNormLSTM
from rnnapps.cells.lem import LEM
from rnnapps.cells.linear import LinearCell
from rnnapps.cells.lmu import LMU
from rnnapps.cells.lru import LRU
from rnnapps.cells.lstm import LSTM
from rnnapps.cells.ltc import LTC
from rnnapps.cells.m_lstm import MLSTM
from rnnapps.cells.mamba2 import Mamba2
from rnnapps.cells.maps import MapCell
from rnnapps.cells.matrix_linear import MatrixInputs, MatrixLinearCell
from rnnapps.cells.mgu import MGU
from rnnapps.cells.min_gru import MinGRU
from rnnapps.cells.min_lstm import MinLSTM
from rnnapps.cells.mogrifier import Mogrifier
from rnnapps.cells.multi_head import MultiHead
from rnnapps.cells.normalized import Normalized
from rnnapps.cells.peephole_lstm import PeepholeLSTM
from rnnapps.cells.projection import Projection
from rnnapps.cells.qrnn import QRNN
from rnnapps.cells.residual import Residual
from rnnapps.cells.rg_lru import RGLRU
from rnnapps.cells.rwkv7 import RWKV7
from rnnapps.cells.s5 import S5
from rnnapps.cells.s_lstm import SLSTM
from rnnapps.cells.simple_rnn import SimpleRNN
from rnnapps.cells.sru import SRU
from rnnapps.cells.timed import TimedDenseCell
from rnnapps.cells.wrapper import Wrapper
from rnnapps.cells.zoneout import Zoneout
from rnnapps.errors import ConfigError

__all__ = [
    "CELLS",
    "CELL_GROUPS",
    "GRU",
    "GRUD",
    "LEM",
    "LMU",
    "LRU",
    "LSTM",
    "LTC",
    "MGU",
    "MLSTM",
    "QRNN",
    "RGLRU",
    "RWKV7",
    "S5",
    "SLSTM",
    "SRU",
    "AntisymmetricRNN",
    "Cell",
    "CfC",
    "Chrono",
    "ConvGRU",
    "ConvLSTM",
    "CoupledLSTM",
    "DeltaNet",
    "DenseCell",
    "DiagonalCell",
    "EchoState",
    "Elapsed",
    "FastGRNN",
    "GatedDeltaNet",
    "GatedLinearAttention",
    "HeadsCell",
    "IndRNN",
    "LayerNormGRU",
    "LayerNormLSTM",
    "LinearCell",
    "Mamba2",
    "MapCell",
    "MatrixInputs",
    "MatrixLinearCell",
    "MinGRU",
    "MinLSTM",
    "Mogrifier",
    "MultiHead",
    "Normalized",
    "PeepholeLSTM",
    "Projection",
    "Residual",
    "SimpleRNN",
    "SpectralRadius",
    "TimedDenseCell",
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
    "coupled_lstm": CoupledLSTM,
    "s_lstm": SLSTM,
    "antisymmetric_rnn": AntisymmetricRNN,
    "lem": LEM,
    "cfc": CfC,
    "ltc": LTC,
    "fast_grnn": FastGRNN,
    "qrnn": QRNN,
    "sru": SRU,
    "rg_lru": RGLRU,
    "lru": LRU,
    "s5": S5,
    "lmu": LMU,
    "echo_state": EchoState,
    "gated_linear_attention": GatedLinearAttention,
    "m_lstm": MLSTM,
    "delta_net": DeltaNet,
    "gated_delta_net": GatedDeltaNet,
    "mamba2": Mamba2,
    "rwkv7": RWKV7,
}


CELL_GROUPS: dict[str, tuple[str, ...]] = {
    "simple": ("simple_rnn", "ind_rnn"),
    "gated": (
        "lstm",
        "gru",
        "gru_reset_before",
        "peephole_lstm",
        "coupled_lstm",
        "layer_norm_lstm",
        "layer_norm_gru",
        "s_lstm",
        "mgu",
        "fast_grnn",
    ),
    "in continuous time": ("antisymmetric_rnn", "lem", "cfc", "ltc", "lmu", "s5"),
    "without products in the loop": ("qrnn", "sru"),
    "linear in time": ("min_gru", "min_lstm", "rg_lru", "lru"),
    "fixed": ("echo_state",),
    "matrix memory": ("gated_linear_attention", "m_lstm", "delta_net", "gated_delta_net", "mamba2", "rwkv7"),
}
"""The names in `CELLS` by what the cells have in common, as `rnnapps list` shows them."""


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
