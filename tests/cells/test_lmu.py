"""The Legendre memory unit against NumPy, and its memory against the polynomials that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import eval_legendre

from rnnapps.cells import LMU
from rnnapps.cells.lmu import legendre_memory
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against


def test_equations() -> None:
    transition, entry = legendre_memory(4, 6.0)

    def step(x, states, w):
        h, m = states
        u = x @ w["input_encoder"] + h @ w["output_encoder"] + m @ w["memory_encoder"]
        m = m @ transition + u * entry
        return [np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + m @ w["memory_kernel"] + w["bias"]), m]

    check_against(step, LMU(3, order=4, window=6.0, dtype="float64"))


def test_the_memory_holds_the_window() -> None:
    """The coefficients, read by shifted Legendre polynomials, give what came in `lag` steps ago."""
    transition, entry = legendre_memory(12, 60.0)
    signal, memory = np.sin(np.arange(300) / 11), np.zeros(12)
    for value in signal:
        memory = memory @ transition + value * entry
    for lag in (0, 15, 30, 45, 59):
        read = sum(memory[i] * eval_legendre(i, 2 * lag / 60 - 1) for i in range(12))
        assert read == pytest.approx(signal[-1 - lag], abs=0.05)


def test_sizes() -> None:
    assert LMU(5).state_size == [5, 5]
    with pytest.raises(ConfigError, match="LMU: expected a window above 0 steps, got 0"):
        LMU(5, window=0)
    with pytest.raises(ConfigError, match="positive integer"):
        LMU(5, order=0)
