"""Two tapes, a persistent one, a gradient penalty, Jacobians, forward mode and vectorized_map, through every kernel."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM
from rnnapps.layers import Bidirectional, Recurrent, RecurrentStack
from rnnapps.testing.derivatives import DERIVATIVES, check_derivatives
from tests.conformance.descriptors import ROWS, subject

LAYERS = {
    "bidirectional": lambda kernel: Bidirectional(Recurrent(GRU(3), kernel=kernel)),
    "stack": lambda kernel: RecurrentStack([LSTM(3), GRU(3)], bidirectional=True, kernel=kernel),
}


def test_derivatives_of_compiled_loops() -> None:
    check_derivatives(subject("lstm"))


@pytest.mark.parametrize("traced", [False, True])
def test_derivatives_of_tangents(traced: bool) -> None:
    again = ("tangent of a tangent", "gradient of a tangent")
    check_derivatives(subject("gru"), names=again, kernel="graph", traced=traced)


@pytest.mark.slow
@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("kernel", ["xla", "graph"])
@pytest.mark.parametrize("name", ROWS)
def test_derivatives(name: str, kernel: str, traced: bool) -> None:
    check_derivatives(subject(name), names=DERIVATIVES, kernel=kernel, traced=traced)


@pytest.mark.slow
@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("name", LAYERS)
def test_derivatives_of_layers(name: str, derivative: str, traced: bool) -> None:
    inputs, results = tf.random.stateless_normal((2, 3, 2), (0, 1)), []
    for kernel in ("xla", "reference"):
        keras.utils.set_random_seed(0)
        layer = LAYERS[name](kernel)
        layer.build(inputs.shape)
        weights = [weight.value for weight in layer.trainable_variables]

        def run(inputs: tf.Tensor, layer=layer, weights=weights) -> list:
            def outputs(sequences: tf.Tensor) -> tf.Tensor:
                return tf.reshape(tf.nest.flatten(layer(sequences, training=True))[0], (sequences.shape[0], -1))

            return DERIVATIVES[derivative](outputs, inputs, weights)

        results.append((tf.function(run, autograph=False) if traced else run)(inputs))
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4)
