from __future__ import annotations

import numpy as np

from rnnapps.cells import CfC
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    """Steps that take as long as the time that is given."""

    def step(x, states, w):
        backbone = 1.7159 * np.tanh(0.666 * (x[:-1] @ w["kernel"] + states[0] @ w["recurrent_kernel"] + w["bias"]))
        f, g, k = np.split(backbone @ w["heads_kernel"] + w["heads_bias"], 3)
        share = sigmoid(-2.5 * x[-1] * f)
        return [share * np.tanh(g) + (1 - share) * np.tanh(k)]

    check_against(step, CfC(3, step=2.5, dtype="float64"), timed=True)


def test_steps_of_equal_length() -> None:
    cell, random = CfC(3, step=2.5, dtype="float64"), np.random.default_rng(1)
    inputs, states = random.normal(size=(2, 4)), [random.normal(size=(2, 3))]
    cell.build((None, 4))
    given, _ = cell(inputs, states, elapsed=np.ones((2, 1)))
    np.testing.assert_array_equal(cell(inputs, states)[0], given)
