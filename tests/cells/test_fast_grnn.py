from __future__ import annotations

import numpy as np
import pytest

from rnnapps.cells import FastGRNN
from rnnapps.errors import ConfigError
from tests.cells.oracle import check_against, sigmoid


@pytest.mark.parametrize(("rank", "recurrent_rank"), [(None, None), (1, 2)])
def test_equations(rank: int | None, recurrent_rank: int | None) -> None:
    def step(x, states, w):
        both = x @ w["kernel"] @ w.get("kernel_up", np.eye(3))
        both = both + states[0] @ w["recurrent_kernel"] @ w.get("recurrent_kernel_up", np.eye(3))
        z, g = sigmoid(both + w["bias"][:3]), np.tanh(both + w["bias"][3:])
        return [(sigmoid(w["scale"]) * (1 - z) + sigmoid(w["shift"])) * g + z * states[0]]

    check_against(step, FastGRNN(3, rank=rank, recurrent_rank=recurrent_rank, dtype="float64"))


def test_first_values() -> None:
    cell = FastGRNN(3, rank=2)
    cell.build((None, 5))
    assert {weight.name: tuple(weight.shape) for weight in cell.weights} == {
        "kernel": (5, 2),
        "kernel_up": (2, 3),
        "recurrent_kernel": (3, 3),
        "bias": (6,),
        "scale": (1,),
        "shift": (1,),
    }
    np.testing.assert_array_equal([cell.scale[0], cell.shift[0]], [1, -4])


def test_rank_that_is_none() -> None:
    with pytest.raises(ConfigError, match="FastGRNN: expected a positive integer or None as recurrent_rank, got 0"):
        FastGRNN(3, recurrent_rank=0)
