"""Heads side by side against the same cells, each alone."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps import Recurrent
from rnnapps.cells import LSTM, DeltaNet, Elapsed, MultiHead, Zoneout
from rnnapps.errors import ConfigError


@pytest.mark.parametrize("make", [lambda: LSTM(3), lambda: DeltaNet(4, heads=2), lambda: Elapsed(LSTM(2))])
def test_each_head_is_a_cell_of_its_own(make) -> None:
    cell, random = MultiHead(make(), 3), np.random.default_rng(1)
    layer = Recurrent(cell, return_sequences=True, return_state=True)
    inputs = random.normal(size=(2, 6, 5)).astype("float32")
    timed = {"elapsed": random.exponential(size=(2, 6)).astype("float32")} if cell.takes_elapsed else {}
    outputs, *states = layer(inputs, **timed)
    for head, alone in enumerate(cell.cells):
        own, *ends = Recurrent(alone, return_sequences=True, return_state=True)(inputs, **timed)
        np.testing.assert_allclose(np.split(np.asarray(outputs), 3, axis=-1)[head], own, atol=1e-5)
        for state, end in zip(states, ends, strict=True):
            np.testing.assert_allclose(np.split(np.asarray(state), 3, axis=1)[head], end, atol=1e-5)
    assert not np.allclose(*[np.split(np.asarray(outputs), 3, axis=-1)[head] for head in (0, 1)])


def test_recurrent_weights_stand_in_diagonal_blocks() -> None:
    cell = MultiHead(LSTM(4, dtype="float64"), 2)
    cell.build((None, 3))
    assert sum(np.prod(weight.shape) for weight in cell.weights if "recurrent" in weight.path) == 2 * 4 * 16
    assert (cell.state_size, cell.output_size) == ([8, 8], 8)
    assert list(cell.gates(cell.project(np.ones((1, 3))), cell.recur(np.ones((1, 8))), [np.ones((1, 8))] * 2)) == [
        "input",
        "forget",
        "candidate",
        "output",
    ]


def test_a_wrapper_around_and_within() -> None:
    cell = Zoneout(MultiHead(Zoneout(LSTM(2), 0.2), 2), 0.5)
    assert np.asarray(Recurrent(cell)(np.ones((2, 4, 3), "float32"))).shape == (2, 4)


def test_what_cannot_be_wrapped() -> None:
    with pytest.raises(ConfigError, match="MultiHead: expected a positive integer as heads, got 0"):
        MultiHead(LSTM(3), 0)
    built = LSTM(3)
    built.build((None, 2))
    with pytest.raises(ConfigError, match="MultiHead: the wrapped cell is built already"):
        MultiHead(built, 2)
