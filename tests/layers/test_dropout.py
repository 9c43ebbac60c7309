"""Dropout: the mean stays, masks change with each call and resume with the seed generator's state."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from rnnapps.errors import ConfigError
from rnnapps.layers import Dropout

ONES = np.ones((50, 40, 10), np.float32)


def test_values_are_dropped_or_scaled() -> None:
    dropped = Dropout(0.25, seed=1)(ONES, training=True).numpy()
    np.testing.assert_allclose(np.unique(dropped), [0, 4 / 3], rtol=1e-6)
    assert abs(dropped.mean() - 1) < 0.02
    np.testing.assert_array_equal(Dropout(0.25, seed=1)(ONES, training=False), ONES)


def test_masks_follow_the_seed_generator() -> None:
    layer, twin = Dropout(0.5, seed=3), Dropout(0.5, seed=3)
    first, second = layer(ONES, training=True), layer(ONES, training=True)
    assert np.mean(np.asarray(first) == np.asarray(second)) < 0.6
    twin.seed_generator.state.assign(layer.seed_generator.state)
    np.testing.assert_array_equal(twin(ONES, training=True), layer(ONES, training=True))


def test_shape_may_vary_and_config_round_trips() -> None:
    layer = Dropout.from_config(Dropout(0.5, seed=2).get_config())
    model = keras.Sequential([keras.Input((None, 3)), layer])
    assert model(ONES[:2, :7, :3], training=True).shape == (2, 7, 3)
    with pytest.raises(ConfigError, match="dropout"):
        Dropout(1.0)
