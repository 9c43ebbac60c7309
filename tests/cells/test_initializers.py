"""First values of weights: what they are drawn from, and that their settings survive a file."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from rnnapps.cells import LSTM, Chrono
from rnnapps.cells.initializers import Blocks, DecayLogits, InverseSoftplus, LogUniform, RingLogits, Spread
from rnnapps.errors import ConfigError


def test_chrono() -> None:
    """The forget gate remembers for 1 to 99 steps, evenly; the input gate is open by what is left."""
    cell = LSTM(1000, forget_bias=None, bias_initializer=Chrono(100, blocks=4, forget=1, input=0))
    cell.build((None, 1))
    i, f, g, o = np.split(cell.bias.numpy(), 4)
    steps = np.exp(f)
    assert 1 <= steps.min() < 3 and 95 < steps.max() <= 99 and 45 < steps.mean() < 55
    np.testing.assert_array_equal(i, -f)
    np.testing.assert_array_equal([g, o], 0)


def test_chrono_of_a_gate_that_forgets_when_open() -> None:
    bias = Chrono(50, blocks=2, forget=0, negated=True)((2 * 100,), "float32").numpy()
    assert np.all(bias[:100] <= 0) and np.ptp(bias[:100]) > 1 and np.all(bias[100:] == 0)


def test_chrono_of_too_short_a_time() -> None:
    with pytest.raises(ConfigError, match="Chrono: expected a longest dependence of at least 3 steps, got 2"):
        Chrono(2, blocks=4, forget=1)


@pytest.mark.parametrize(
    "initializer",
    [
        Blocks([("zeros", 2), (Spread(1.0, 3.0), 3)]),
        Spread(1.0, 3.0),
        LogUniform(1.0, 16.0, seed=1),
        InverseSoftplus(0.001, 0.1, seed=1),
        RingLogits(0.9, 0.999, seed=1),
        DecayLogits(0.9, 0.999, power=8, seed=1),
        Chrono(100, blocks=5, forget=1, input=0, seed=1),
    ],
    ids=lambda initializer: type(initializer).__name__,
)
def test_settings_survive(initializer: keras.initializers.Initializer) -> None:
    assert keras.saving.get_registered_name(type(initializer)) == f"rnnapps>{type(initializer).__name__}"
    copy = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    np.testing.assert_array_equal(copy((5,), "float32"), initializer((5,), "float32"))


def test_blocks_and_spread() -> None:
    np.testing.assert_allclose(Blocks([("zeros", 2), (Spread(1.0, 3.0), 3)])((5,), "float32"), [0, 0, 1, 2, 3])
    np.testing.assert_allclose(Spread(1.0, 3.0)((1,), "float32"), [2])
