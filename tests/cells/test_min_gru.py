from __future__ import annotations

import numpy as np

from rnnapps.cells import MinGRU
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        a = x @ w["kernel"] + w["bias"]
        z = sigmoid(a[:3])
        return [(1 - z) * states[0] + z * a[3:]]

    check_against(step, MinGRU(3, dtype="float64"))


def test_update_bias() -> None:
    cell = MinGRU(2, update_bias=-3)
    cell.build((None, 1))
    np.testing.assert_array_equal(cell.bias, [-3, -3, 0, 0])
    np.testing.assert_allclose(cell.coefficients(np.zeros((1, 1), "float32"))[0], 0.95257, atol=1e-5)
