from __future__ import annotations

import numpy as np

from rnnapps.cells import MinLSTM
from tests.cells.oracle import check_against, sigmoid


def test_equations() -> None:
    def step(x, states, w):
        a = x @ w["kernel"] + w["bias"]
        f, i = sigmoid(a[:3]), sigmoid(a[3:6])
        return [f / (f + i) * states[0] + i / (f + i) * a[6:]]

    check_against(step, MinLSTM(3, dtype="float64"))


def test_closed_gates_share_the_state_evenly() -> None:
    cell = MinLSTM(1)
    cell.build((None, 1))
    cell.set_weights([np.zeros((1, 3)), np.array([-1000.0, -1000.0, 4.0])])
    output, _ = cell(np.zeros((1, 1), "float32"), [np.array([[2.0]], "float32")])
    assert float(output[0, 0]) == 3.0
