from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, Zoneout
from rnnapps.errors import ConfigError
from rnnapps.kernels import reference
from tests.cells.oracle import check_against, sigmoid


def test_inference_blends_by_the_mean() -> None:
    def step(x, states, w):
        h, c = states
        z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
        new_c = sigmoid(z[3:6]) * c + sigmoid(z[:3]) * np.tanh(z[6:9])
        new_h = sigmoid(z[9:]) * np.tanh(new_c)
        return [0.25 * h + 0.75 * new_h, 0.1 * c + 0.9 * new_c]

    check_against(step, Zoneout(LSTM(3, dtype="float64"), [0.25, 0.1]))


def test_training_keeps_a_share_of_the_states() -> None:
    cell = Zoneout(GRU(50), 0.3, seed=1)
    x = tf.constant(np.random.default_rng(0).normal(size=(8, 20, 3)), "float32")
    cell.build(x.shape)
    steps = reference.hidden_states(cell, cell.project(x, training=True), cell.initial_states(8))
    states = np.stack([step[0] for step in steps])
    kept = states[1:] == states[:-1]
    assert np.mean(kept) == pytest.approx(0.3, abs=0.02)
    shares = [np.std(np.mean(kept, axis=axis)) for axis in (0, 1, 2)]
    assert max(shares) < 0.2, "the draws differ by step, row and unit"


def test_draws_repeat_with_the_seed() -> None:
    x = np.ones((2, 5, 3), "float32")
    draws = []
    for _ in range(2):
        cell = Zoneout(GRU(4), 0.5, seed=3)
        cell.build(x.shape)
        draws.append([np.array(cell.project(x, training=True)[1]) for _ in range(2)])
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.any(draws[0][0] != draws[0][1])


@pytest.mark.parametrize("rate", [1.0, -0.1, [0.1], [0.1, 0.2, 0.3]])
def test_rates_outside_of_range(rate) -> None:
    with pytest.raises(ConfigError, match="Zoneout: expected one rate, or 2"):
        Zoneout(LSTM(3), rate)
