"""One row for every public cell: how to make it, small. Every property is tested on every row."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest

from rnnapps.cells import (
    CELLS,
    GRU,
    GRUD,
    LSTM,
    Cell,
    ConvGRU,
    ConvLSTM,
    Elapsed,
    LayerNormLSTM,
    Mamba2,
    MinGRU,
    Mogrifier,
    MultiHead,
    Normalized,
    Projection,
    Residual,
    Zoneout,
    make_cell,
)
from rnnapps.testing import Subject

__all__ = ["ROWS", "representatives", "rows_to_save", "subject"]

UNITS, FEATURES = 4, 3

ROWS: dict[str, tuple[Callable[[], Cell], int]] = {
    **{name: (partial(make_cell, name, UNITS), FEATURES) for name in CELLS},
    "residual": (lambda: Residual(GRU(UNITS)), UNITS),
    "projection": (lambda: Projection(LSTM(UNITS), 3), FEATURES),
    "zoneout": (lambda: Zoneout(LSTM(UNITS), [0.1, 0.5]), FEATURES),
    "conv_gru": (lambda: ConvGRU(2, (3,)), 6),
    "conv_lstm": (lambda: ConvLSTM(2, (2, 2)), 4),
    "gru_d": (lambda: GRUD(UNITS, FEATURES), FEATURES),
    "elapsed": (lambda: Elapsed(LSTM(UNITS)), FEATURES),
    "mogrifier": (lambda: Mogrifier(LSTM(UNITS), rank=2), FEATURES),
    "multi_head": (lambda: MultiHead(LSTM(2), 2), FEATURES),
    "normalized": (lambda: Normalized(Mamba2(UNITS, heads=2)), FEATURES),
    "projection_of_linear": (lambda: Projection(MinGRU(UNITS), 3), FEATURES),
    "wrapped_matrix": (lambda: Residual(Zoneout(Mamba2(UNITS, heads=2), 0.2)), UNITS),
    "all_wrappers": (lambda: Residual(Zoneout(Projection(LayerNormLSTM(UNITS), 3), 0.2)), 3),
}


def representatives(*others: str) -> list[Any]:
    """All rows; those that differ little from others are marked slow. For the properties that trace or compile long.

    Args:
        *others: rows that differ much from others in this property.
    """
    chosen = {"lstm", "gru", "layer_norm_lstm", "min_gru", "m_lstm", "all_wrappers"}
    return [pytest.param(name, marks=[] if name in {*chosen, *others} else [pytest.mark.slow]) for name in ROWS]


def rows_to_save() -> list[Any]:
    """All rows; cells whose settings and weights are of the same types as those of others are marked slow."""
    alike = {"coupled_lstm", "antisymmetric_rnn", "lem", "cfc", "qrnn", "sru", "rg_lru", "delta_net", "gated_delta_net"}
    alike |= {"rwkv7", "conv_gru", "conv_lstm", "elapsed", "gru_d", "ltc", "lmu", "s5", "echo_state"}
    alike |= {"mogrifier", "multi_head", "normalized"}
    return [pytest.param(name, marks=[pytest.mark.slow] if name in alike else []) for name in ROWS]


@cache
def subject(name: str) -> Subject:
    """The cell under test of a row; shared, since tracing its graphs is what takes time."""
    make, features = ROWS[name]
    return Subject(make(), features)
