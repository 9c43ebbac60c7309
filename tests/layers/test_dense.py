"""Dense layers on rows of one place each: the bits of Keras's, without its search for sizes."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU
from rnnapps.layers.dense import Dense, DenseHeads

Make = Callable[[], keras.layers.Layer]
LAYERS: dict[str, tuple[Make, Make]] = {
    "dense": (lambda: Dense(4, activation="tanh"), lambda: keras.layers.Dense(4, activation="tanh")),
    "heads": (
        lambda: DenseHeads("btu,uhc->bthc", (None, 2, 3), bias_axes="hc"),
        lambda: keras.layers.EinsumDense("btu,uhc->bthc", (None, 2, 3), bias_axes="hc"),
    ),
}


def operations(function: Callable[[tf.Tensor], tf.Tensor], *sizes: int | None) -> set[str]:
    """Types of the operations of a graph."""
    graph = tf.function(function, autograph=False).get_concrete_function(tf.TensorSpec(sizes, tf.float32)).graph
    return {operation.type for operation in graph.get_operations()}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("sizes", [(5, 1), (5, 3), (0, 1)])
def test_the_numbers_of_keras(name: str, sizes: tuple[int, int]) -> None:
    ours, theirs = (make() for make in LAYERS[name])
    values = tf.constant(np.random.default_rng(0).normal(size=(*sizes, 6)), tf.float32)
    theirs.build(values.shape)
    ours.build(values.shape)
    ours.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in theirs.weights])
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(values), theirs(values), rtol=1e-6, atol=1e-6)
    assert ours(keras.Input((None, 6))).shape == theirs(keras.Input((None, 6))).shape
    again = type(ours).from_config(ours.get_config())
    assert type(again) is type(ours) and again.get_config() == ours.get_config()


@pytest.mark.parametrize("name", LAYERS)
def test_one_place_a_row_is_one_product(name: str) -> None:
    layer = LAYERS[name][0]()
    layer.build((None, None, 6))
    assert not operations(layer, None, 1, 6) & {"Prod", "GatherV2", "Einsum", "BatchMatMulV2"}
    assert operations(layer, None, None, 6) & {"Prod", "Einsum", "BatchMatMulV2"}  # two sizes are open


def test_cells_project_one_place_a_row_by_one_product() -> None:
    cell = GRU(3)
    cell.build((None, 6))
    assert not operations(cell.project, None, 1, 6) & {"Prod", "GatherV2"}
