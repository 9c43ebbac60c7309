"""Compares a cell with the Keras layer of the same name, the weights carried over in both directions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell

__all__ = ["check_keras_parity"]


def check_keras_parity(cell: Cell, layer: Any) -> None:
    """Asserts equal outputs, final states and gradients, masked too.

    Args:
        cell: the unbuilt cell.
        layer: the unbuilt Keras layer, made with return_sequences=True, return_state=True.
    """
    rng = np.random.default_rng(3)
    inputs = tf.constant(rng.normal(size=(3, 6, 2)), "float32")
    mask = np.arange(6) < np.array([[6], [2], [4]])
    ours = keras.layers.RNN(cell, return_sequences=True, return_state=True)
    for one in (ours, layer):
        one.build(inputs.shape)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in layer.weights]
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    ours.set_weights(layer.get_weights())
    _assert_same(_run(ours, inputs, mask), _run(layer, inputs, mask))
    ours.set_weights([rng.normal(size=w.shape) for w in ours.weights])
    layer.set_weights(ours.get_weights())
    _assert_same(_run(ours, inputs, mask), _run(layer, inputs, mask))


def _run(layer: Any, inputs: Any, mask: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        results = tf.nest.flatten(layer(inputs, mask=tf.constant(mask)))
        loss = sum(tf.reduce_sum(tf.sin(result)) for result in results)
    return [*results, *tape.gradient(loss, [inputs, *(weight.value for weight in layer.weights)])]


def _assert_same(ours: list[Any], theirs: list[Any]) -> None:
    for have, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-5)
