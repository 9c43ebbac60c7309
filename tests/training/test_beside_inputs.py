"""What a cell reads beside its inputs is there when a network is looked at, and when its costs are counted."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps import Recurrent
from rnnapps.cells import GRU, Elapsed
from rnnapps.training.cost import count_operations, recurrent_memory
from rnnapps.training.diagnostics import observe
from tests.layers.test_constants import AttentiveRNN

ROWS, STEPS, PLACES, UNITS = 2, 4, 5, 3
SHAPES = {"rows": (STEPS, 2), "gaps": (STEPS,), "encoded": (PLACES, 3), "valid": (PLACES,)}


def test_constants_and_elapsed_times_are_seen() -> None:
    keras.utils.set_random_seed(1)
    dtypes = {name: "bool" if name == "valid" else "float32" for name in SHAPES}
    inputs = {name: keras.Input(shape, dtype=dtypes[name], name=name) for name, shape in SHAPES.items()}
    hidden = Recurrent(Elapsed(GRU(UNITS)), return_sequences=True)(inputs["rows"], elapsed=inputs["gaps"])
    outputs = Recurrent(AttentiveRNN(UNITS))(hidden, constants=(inputs["encoded"], inputs["valid"]))
    network = keras.Model(inputs, outputs)
    random = np.random.default_rng(2)
    batch = {name: tf.cast(random.random((ROWS, *shape)) * 2, dtypes[name]) for name, shape in SHAPES.items()}
    seen = observe(network, batch, lambda results: tf.reduce_sum(results**2))
    np.testing.assert_allclose(seen.loss, tf.reduce_sum(network(batch) ** 2), rtol=1e-5)
    assert {"left", "update"} <= {gate.gate for gate in seen.gates}
    recurrences = [part for part in count_operations(network, batch) if part.part.endswith("recurrence")]
    # Scores of and sums over all places, each with a product of a step; the output through its two matrices.
    products = 2 * ROWS * (2 * PLACES * UNITS + UNITS * 2 * UNITS)
    assert recurrences[1].matrix == STEPS * products
    assert [memory.states for memory in recurrent_memory(network, batch)] == [STEPS * ROWS * UNITS * 4] * 2
