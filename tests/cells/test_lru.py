from __future__ import annotations

import keras
import numpy as np

from rnnapps.cells import LRU
from tests.cells.oracle import check_against


def test_equations() -> None:
    """Real and imaginary parts against NumPy's complex numbers."""

    def step(x, states, w):
        turn = np.exp(-np.exp(w["log_rate"][:2]) + 1j * np.exp(w["log_phase"]))
        driven = np.exp(w["log_scale"][[0, 1, 0, 1, 2]]) * (x @ w["kernel"])
        new = turn * (states[0][:2] + 1j * states[0][2:4]) + driven[:2] + 1j * driven[2:4]
        alone = np.exp(-np.exp(w["log_rate"][2:])) * states[0][4:] + driven[4:]
        return [np.concatenate([new.real, new.imag, alone])]

    check_against(step, LRU(5, dtype="float64"))


def test_what_is_emitted() -> None:
    cell, random = LRU(4, activation="tanh", dtype="float64"), np.random.default_rng(2)
    cell.build((None, 3))
    inputs, states = random.normal(size=(2, 3)), [random.normal(size=(2, 4))]
    output, (new,) = cell(inputs, states)
    w = {weight.name: weight.numpy() for weight in cell.weights}
    numbers, columns = (
        new.numpy()[:, :2] + 1j * new.numpy()[:, 2:],
        w["output_kernel"][:2] - 1j * w["output_kernel"][2:],
    )
    np.testing.assert_allclose(output, np.tanh((numbers @ columns).real + inputs @ w["skip_kernel"]), rtol=1e-10)


def test_first_values() -> None:
    keras.utils.set_random_seed(1)
    cell = LRU(2000)
    cell.build((None, 1))
    radii, phases = np.exp(-np.exp(cell.log_rate.numpy().astype("float64"))), np.exp(cell.log_phase.numpy())
    assert 0.8999 < radii.min() < 0.902 and 0.997 < radii.max() < 0.9991
    assert phases.min() < 0.1 and 6.2 < phases.max() < 6.284
    np.testing.assert_allclose(np.exp(cell.log_scale), np.sqrt(1 - radii**2), rtol=1e-3)
