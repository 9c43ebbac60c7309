"""The test that Keras runs over its own layers, over ours: saving, symbolic calls, fitting, dtypes, masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras.src.testing import TestCase

from rnnapps import cells, layers
from tests.conformance.descriptors import ROWS

# Keras's test feeds `fit` from a generator and leaves shuffling on, which Keras's `fit` then warns of.
pytestmark = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")

BATCH, STEPS = 2, 5
LAYERS: dict[str, tuple[type[keras.layers.Layer], Callable[[], dict[str, Any]], Any]] = {
    "lstm": (layers.LSTM, lambda: {"units": 4, "dropout": 0.1, "recurrent_dropout": 0.1}, (BATCH, 4)),
    "gru": (layers.GRU, lambda: {"units": 4, "return_sequences": True}, (BATCH, STEPS, 4)),
    "simple_rnn": (layers.SimpleRNN, lambda: {"units": 4, "go_backwards": True}, (BATCH, 4)),
    "states": (
        layers.Recurrent,
        lambda: {"cell": cells.LSTM(4), "return_state": True, "reverse": True},
        ((BATCH, 4), (BATCH, 4), (BATCH, 4)),
    ),
    "bidirectional": (
        layers.Bidirectional,
        lambda: {"forward": layers.Recurrent(cells.GRU(4), return_sequences=True)},
        (BATCH, STEPS, 8),
    ),
    "dropout": (layers.Dropout, lambda: {"rate": 0.5}, (BATCH, STEPS, 3)),
}


def run(layer: type[keras.layers.Layer], options: dict[str, Any], features: int, shape: Any) -> None:
    TestCase().run_layer_test(
        layer,
        init_kwargs=options,
        input_shape=(BATCH, STEPS, features),
        expected_output_shape=shape,
        supports_masking=True,
    )


@pytest.mark.parametrize("name", [pytest.param(row, marks=pytest.mark.slow) for row in ROWS if row != "gru"] + ["gru"])
def test_every_cell(name: str) -> None:
    make, features = ROWS[name]
    run(layers.Recurrent, {"cell": make()}, features, (BATCH, make().output_size))


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name: str) -> None:
    layer, options, shape = LAYERS[name]
    run(layer, options(), 3, shape)


@pytest.mark.slow
def test_stack() -> None:
    """Its answer is a pair of outputs and states, which Keras's test takes apart by itself."""
    shape = ((BATCH, STEPS, 8), [(BATCH, 4)] * 4)
    run(layers.RecurrentStack, {"cells": [cells.GRU(4), cells.GRU(4)], "bidirectional": True}, 3, shape)
