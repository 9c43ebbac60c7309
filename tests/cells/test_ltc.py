"""The liquid time-constant cell against NumPy and against the differential equation that it solves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rnnapps.cells import LTC
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        h, short = states[0], x[-1] / 3
        for _ in range(3):
            f = sigmoid(x[:-1] @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
            h = (h + short * f * w["level"]) / (1 + short * (np.exp(w["log_rate"]) + f))
        return [h]

    check_against(step, LTC(2, solver_steps=3, dtype="float64"), timed=True)


def test_many_steps_solve_the_equation() -> None:
    cell, random = LTC(3, solver_steps=400, dtype="float64"), np.random.default_rng(3)
    cell.build((None, 2))
    for weight in cell.weights:
        weight.assign(random.normal(size=weight.shape))
    x, start = random.normal(size=2), random.normal(size=3)
    w = {weight.name: weight.numpy() for weight in cell.weights}

    def slope(_, h):
        f = sigmoid(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
        return -(np.exp(w["log_rate"]) + f) * h + f * w["level"]

    solved = solve_ivp(slope, (0, 1.5), start, rtol=1e-9, atol=1e-9).y[:, -1]
    output, _ = cell(x[None], [start[None]], elapsed=np.array([[1.5]]))
    np.testing.assert_allclose(output[0], solved, atol=3e-3)


def test_a_number_of_steps_that_is_none() -> None:
    with pytest.raises(ConfigError, match="LTC: expected a positive integer as solver_steps, got 0"):
        LTC(3, solver_steps=0)
