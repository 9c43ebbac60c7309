"""Norms around a cell against NumPy, and that the recurrence within is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps import Recurrent
from rnnapps.cells import LSTM, Cell, DeltaNet, MinGRU, Normalized, Residual, SimpleRNN, Zoneout
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against


def normal(values, norm):
    centred = values - np.mean(values, axis=-1, keepdims=True) * (norm == "layer")
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_the_cell_reads_normalised_inputs(norm) -> None:
    def step(x, states, w):
        read = normal(x, norm) * w["norm_gain"] + w.get("norm_bias", 0)
        return [np.tanh(read @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"])]

    check_against(step, Normalized(SimpleRNN(3, dtype="float64"), norm), features=4)


@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_outputs_are_normalised_and_states_are_not(norm) -> None:
    cell, random = Normalized(Residual(LSTM(3)), norm, place="outputs"), np.random.default_rng(1)
    layer = Recurrent(cell, return_sequences=True, return_state=True)
    inputs = random.normal(size=(2, 5, 3)).astype("float32")
    layer(inputs)
    cell.norm_gain.assign(random.normal(size=3))
    outputs, *states = layer(inputs)
    plain, *plain_states = Recurrent(cell.cell, return_sequences=True, return_state=True)(inputs)
    np.testing.assert_allclose(outputs, normal(np.asarray(plain), norm) * cell.norm_gain.numpy(), atol=1e-5)
    np.testing.assert_allclose(states, plain_states, atol=1e-6)


def test_a_residual_within_adds_what_the_cell_reads() -> None:
    inputs = np.random.default_rng(2).normal(size=(2, 3)).astype("float32")
    cell = Normalized(Residual(LSTM(3)))
    output, states = cell(inputs, cell.initial_states(2))
    np.testing.assert_allclose(output, normal(inputs, "layer") + states[0], atol=1e-6)
    outside = Residual(Normalized(cell.cell.cell))
    np.testing.assert_allclose(outside(inputs, cell.initial_states(2))[0], inputs + states[0], atol=1e-6)


@pytest.mark.parametrize("inner", [DeltaNet(4, heads=2), MinGRU(4)])
def test_kernels_of_the_cell_run_it(inner: Cell) -> None:
    """Norms and sums beside the recurrence leave it to the fast kernels; wrappers that change it do not."""
    cell = Residual(Normalized(inner, "rms"))
    assert cell.recurrence() is inner
    assert isinstance(Residual(Zoneout(type(inner)(4))).recurrence(), Zoneout)
    inputs = np.random.default_rng(3).normal(size=(2, 20, 4)).astype("float32")
    mask = np.arange(20) < np.array([[20], [13]])
    kernel = "parallel" if isinstance(inner, MinGRU) else "auto"
    fast, *states = Recurrent(cell, return_sequences=True, return_state=True, kernel=kernel)(inputs, mask=mask)
    slow, *expected = Recurrent(cell, return_sequences=True, return_state=True, kernel="reference")(inputs, mask=mask)
    np.testing.assert_allclose(fast, slow, atol=1e-5)
    for have, want in zip(states, expected, strict=True):
        np.testing.assert_allclose(have, want, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "batch"}, "expected 'layer' or 'rms' as norm, got 'batch'"),
        ({"place": "states"}, "expected 'inputs' or 'outputs' as place, got 'states'"),
    ],
)
def test_what_there_is_not(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"Normalized: {message}"):
        Normalized(LSTM(3), **options)
