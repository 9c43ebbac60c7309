"""Cells of maps: against Keras's layers, and against our own GRU, which they are where no place sees another."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from rnnapps import Recurrent
from rnnapps.cells import GRU, ConvGRU, ConvLSTM
from rnnapps.errors import ConfigError

ROWS, STEPS, CHANNELS, FILTERS = 2, 4, 2, 3


def sequences(*map_shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, STEPS, *map_shape, CHANNELS)).astype(np.float32)


@pytest.mark.parametrize("map_shape", [(5,), (4, 3)], ids=["line", "picture"])
def test_conv_lstm_is_that_of_keras(map_shape: tuple[int, ...]) -> None:
    keras.utils.set_random_seed(1)
    kind = keras.layers.ConvLSTM1D if len(map_shape) == 1 else keras.layers.ConvLSTM2D
    theirs = kind(FILTERS, 3, padding="same", return_sequences=True)
    inputs = sequences(*map_shape)
    expected = np.asarray(theirs(inputs))
    layer = Recurrent(ConvLSTM(FILTERS, map_shape), return_sequences=True)
    flat = inputs.reshape(ROWS, STEPS, -1)
    layer.build(flat.shape)
    assert [tuple(weight.shape) for weight in layer.weights] == [tuple(weight.shape) for weight in theirs.weights]
    np.testing.assert_array_equal(layer.cell.bias, theirs.weights[2])  # the forget gate's begins at 1
    layer.set_weights(theirs.get_weights())
    np.testing.assert_allclose(np.reshape(layer(flat), expected.shape), expected, atol=1e-5)


def test_conv_gru_is_a_gru_at_each_place_where_no_place_sees_another() -> None:
    keras.utils.set_random_seed(2)
    inputs = sequences(2, 2)
    maps = Recurrent(ConvGRU(FILTERS, (2, 2), kernel_size=1), return_sequences=True)
    outputs = np.reshape(maps(inputs.reshape(ROWS, STEPS, -1)), (ROWS, STEPS, 2, 2, FILTERS))
    place = Recurrent(GRU(FILTERS), return_sequences=True)
    place.build((None, None, CHANNELS))
    kernel, recurrent_kernel, bias = maps.get_weights()
    place.set_weights([kernel[0, 0], recurrent_kernel[0, 0], np.stack([bias, np.zeros_like(bias)])])
    for row, column in np.ndindex(2, 2):
        np.testing.assert_allclose(outputs[:, :, row, column], place(inputs[:, :, row, column]), atol=1e-5)


def test_what_happens_at_a_place_spreads_by_one_place_a_step() -> None:
    """By the input's convolution at once by one, and by that of the past by one a step."""
    keras.utils.set_random_seed(3)
    layer = Recurrent(ConvGRU(FILTERS, (9,)), return_sequences=True)
    silent = np.zeros((1, 3, 9, CHANNELS), np.float32)
    struck = silent.copy()
    struck[0, 0, 4] = 1.0
    changes = np.asarray(layer(struck.reshape(1, 3, -1)) - layer(silent.reshape(1, 3, -1)))
    changed = np.abs(changes.reshape(3, 9, FILTERS)).max(axis=-1) > 1e-6
    assert [np.flatnonzero(row).tolist() for row in changed] == [[3, 4, 5], [2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConvGRU(2, (3, 3, 3)), r"expected a map_shape of 1 or 2 axes, got \(3, 3, 3\)"),
        (lambda: ConvGRU(0, (3,)), "expected positive integers as filters, map_shape"),
        (lambda: ConvGRU(2, (3, 0)), "expected positive integers as filters, map_shape"),
        (lambda: ConvGRU(2, (3, 2)).build((None, 13)), "13 features are no maps of 3 x 2 places"),
    ],
)
def test_what_does_not_fit_is_told(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
