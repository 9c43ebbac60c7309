"""The diagonal state space model against NumPy's complex numbers and against its differential equation."""

from __future__ import annotations

import keras
import numpy as np

from rnnapps.cells import S5
from tests.cells.oracle import check_against


def test_equations() -> None:
    """Real and imaginary parts of two complex numbers and a real one, over any time."""

    def step(x, states, w):
        eigenvalues = np.append(-np.exp(w["log_rate"][:2]) + 1j * w["frequency"], -np.exp(w["log_rate"][2]))
        time, driven = np.exp(w["log_step"]) * x[-1], x[:-1] @ w["kernel"]
        left = np.exp(eigenvalues * time)
        past = np.append(states[0][:2] + 1j * states[0][2:4], states[0][4])
        entering = np.append(driven[:2] + 1j * driven[2:4], driven[4])
        new = left * past + (left - 1) / eigenvalues * entering
        return [np.concatenate([new[:2].real, new[:2].imag, new[2:].real])]

    check_against(step, S5(5, dtype="float64"), timed=True)


def test_two_steps_are_one_of_their_time_while_the_input_stays() -> None:
    """Zero-order hold is exact: how rows are cut does not matter."""
    cell, random = S5(6, dtype="float64"), np.random.default_rng(1)
    inputs, states = random.normal(size=(2, 3)), [random.normal(size=(2, 6))]
    cell.build((None, 3))
    _, (whole,) = cell(inputs, states, elapsed=np.full((2, 1), 5.0))
    _, half = cell(inputs, states, elapsed=np.full((2, 1), 2.0))
    _, (twice,) = cell(inputs, half, elapsed=np.full((2, 1), 3.0))
    np.testing.assert_allclose(twice, whole, rtol=1e-12)


def test_what_is_emitted() -> None:
    cell, random = S5(4, activation="tanh", dtype="float64"), np.random.default_rng(2)
    cell.build((None, 3))
    inputs, states = random.normal(size=(2, 3)), [random.normal(size=(2, 4))]
    output, (new,) = cell(inputs, states)
    w = {weight.name: weight.numpy() for weight in cell.weights}
    numbers = new.numpy()[:, :2] + 1j * new.numpy()[:, 2:]
    columns = w["output_kernel"][:2] - 1j * w["output_kernel"][2:]
    np.testing.assert_allclose(output, np.tanh((numbers @ columns).real + inputs @ w["skip_kernel"]), rtol=1e-10)


def test_first_values() -> None:
    """Eigenvalues -1/2 + i pi k, and steps from .001 to .1, even in their logarithm."""
    keras.utils.set_random_seed(1)
    cell = S5(2000)
    cell.build((None, 1))
    np.testing.assert_allclose(np.exp(cell.log_rate), 0.5, rtol=1e-6)
    np.testing.assert_allclose(cell.frequency, np.pi * np.arange(1000), rtol=1e-5)
    steps = cell.log_step.numpy()
    assert np.log(0.001) <= steps.min() < -6.85 and -2.36 < steps.max() <= np.log(0.1)
    assert abs(steps.mean() - np.log(0.01)) < 0.15
