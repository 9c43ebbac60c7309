"""Inputs and outputs that scale each other, against NumPy; the wrapped cell is checked on its own."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.cells import GRU, MGU, CfC, Mogrifier, SimpleRNN, Zoneout
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against, sigmoid


def _simple_rnn(x, h, w):
    return [np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])]


def test_equations() -> None:
    def step(x, states, w):
        h = states[0]
        x = 2 * sigmoid(h @ w["input_kernel_0"]) * x
        h = 2 * sigmoid(x @ w["output_kernel_0"]) * h
        x = 2 * sigmoid(h @ w["input_kernel_1"]) * x
        return _simple_rnn(x, h, w)

    check_against(step, Mogrifier(SimpleRNN(3, dtype="float64"), rounds=3))


def test_factors() -> None:
    def step(x, states, w):
        x = 2 * sigmoid(states[0] @ w["input_factor_0"] @ w["input_kernel_0"]) * x
        h = 2 * sigmoid(x @ w["output_factor_0"] @ w["output_kernel_0"]) * states[0]
        return _simple_rnn(x, h, w)

    check_against(step, Mogrifier(SimpleRNN(3, dtype="float64"), rounds=2, rank=1))


def test_a_cell_that_reads_its_output_again() -> None:
    """What the gates of the wrapped cell see is the scaled output."""
    cell, random = Mogrifier(MGU(3, dtype="float64"), rounds=2), np.random.default_rng(1)
    cell.build((None, 2))
    x, h = random.normal(size=(2, 2)), random.normal(size=(2, 3))
    w = {weight.name: weight.numpy() for weight in cell.weights}
    scaled = 2 * sigmoid(h @ w["input_kernel_0"]) * x
    past = 2 * sigmoid(scaled @ w["output_kernel_0"]) * h
    np.testing.assert_allclose(cell(x, [h])[0], cell.cell(scaled, [past])[0], rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: Mogrifier(Zoneout(GRU(3))), lambda: Mogrifier(CfC(3))])
def test_cells_that_cannot_be_wrapped(make) -> None:
    with pytest.raises(ConfigError, match=r"Mogrifier: expected a dense cell \(lstm, gru, simple_rnn...\), got"):
        make()


@pytest.mark.parametrize("options", [{"rounds": 0}, {"rank": 0}])
def test_numbers_that_are_none(options) -> None:
    with pytest.raises(ConfigError, match=f"expected a positive integer as {next(iter(options))}, got 0"):
        Mogrifier(GRU(3), **options)
