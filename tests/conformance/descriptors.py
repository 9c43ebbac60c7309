"""One row for every public cell: how to make it, small. Every property is tested on every row."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest

from rnnapps.cells import CELLS, GRU, LSTM, Cell, LayerNormLSTM, MinGRU, Projection, Residual, Zoneout, make_cell
from rnnapps.testing import Subject

__all__ = ["ROWS", "representatives", "subject"]

UNITS, FEATURES = 4, 3

ROWS: dict[str, tuple[Callable[[], Cell], int]] = {
    **{name: (partial(make_cell, name, UNITS), FEATURES) for name in CELLS},
    "residual": (lambda: Residual(GRU(UNITS)), UNITS),
    "projection": (lambda: Projection(LSTM(UNITS), 3), FEATURES),
    "zoneout": (lambda: Zoneout(LSTM(UNITS), [0.1, 0.5]), FEATURES),
    "projection_of_linear": (lambda: Projection(MinGRU(UNITS), 3), FEATURES),
    "all_wrappers": (lambda: Residual(Zoneout(Projection(LayerNormLSTM(UNITS), 3), 0.2)), 3),
}


def representatives() -> list[Any]:
    """All rows; those that differ little from others are marked slow. For the properties that trace or compile long."""
    chosen = {"lstm", "gru", "layer_norm_lstm", "min_gru", "all_wrappers"}
    return [pytest.param(name, marks=[] if name in chosen else [pytest.mark.slow]) for name in ROWS]


@cache
def subject(name: str) -> Subject:
    """The cell under test of a row; shared, since tracing its graphs is what takes time."""
    make, features = ROWS[name]
    return Subject(make(), features)
