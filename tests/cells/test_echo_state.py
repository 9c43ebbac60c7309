"""The echo state network against NumPy; what is drawn, and that nothing of it is trained."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from rnnapps import Recurrent
from rnnapps.cells import EchoState, SpectralRadius
from rnnapps.errors import ConfigError


def test_equations() -> None:
    cell, random = EchoState(4, leak=0.3, dtype="float64"), np.random.default_rng(1)
    cell.build((None, 2))
    w = {weight.name: weight.numpy() for weight in cell.weights}
    inputs, state = random.normal(size=(3, 2)), random.normal(size=(3, 4))
    output, _ = cell(inputs, [state])
    wanted = np.tanh(inputs @ w["kernel"] + state @ w["recurrent_kernel"] + w["bias"])
    np.testing.assert_allclose(output, 0.7 * state + 0.3 * wanted, rtol=1e-12)


def test_the_largest_eigenvalue() -> None:
    matrix = np.asarray(SpectralRadius(0.8, density=0.3, seed=1)((60, 60), "float64"))
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(0.8)
    assert 0.25 < np.mean(matrix != 0) < 0.35
    np.testing.assert_array_equal(SpectralRadius(0.8, density=0.0)((5, 5), "float32"), np.zeros((5, 5)))


def test_the_past_fades() -> None:
    """Two states that differ come together: the echo state property."""
    keras.utils.set_random_seed(2)
    layer = Recurrent(EchoState(50))
    inputs = np.random.default_rng(3).normal(size=(1, 200, 3)).astype("float32")
    ends = [layer(inputs, initial_state=[np.full((1, 50), value, "float32")]) for value in (-1, 1)]
    np.testing.assert_allclose(*ends, atol=1e-4)


def test_only_the_readout_learns() -> None:
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input((12, 1)), Recurrent(EchoState(40)), keras.layers.Dense(1)])
    assert [len(layer.trainable_variables) for layer in model.layers] == [0, 2]
    inputs = np.random.default_rng(5).uniform(size=(64, 12, 1)).astype("float32")
    before = model.layers[0].get_weights()
    model.compile("adam", "mse")
    model.fit(inputs, inputs[:, -3], epochs=2, verbose=0)
    for old, new in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_leak_that_is_none() -> None:
    with pytest.raises(ConfigError, match="EchoState: expected a leak above 0 and at most 1, got 0"):
        EchoState(3, leak=0)
