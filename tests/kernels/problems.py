"""Recurrent problems with random weights, and their outputs and gradients by any kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell, make_cell
from rnnapps.layers import Recurrent

__all__ = ["FEATURES", "random_cell", "random_problem", "results"]

FEATURES, UNITS = 3, 4


def random_cell(name: str) -> Cell:
    """A built cell whose weights, biases too, are random."""
    cell = make_cell(name, UNITS)
    cell.build((None, FEATURES))
    random = np.random.default_rng(1)
    for weight in cell.weights:
        weight.assign(random.normal(scale=0.5, size=weight.shape))
    return cell


def random_problem(cell: Cell, batch: int, time: int, *, masked: bool) -> dict[str, Any]:
    """Inputs, initial states and a mask for a cell."""
    random = np.random.default_rng(batch * 1000 + time)
    return {
        "inputs": tf.constant(random.normal(size=(batch, time, FEATURES)), tf.float32),
        "states": [tf.constant(random.normal(size=(batch, *shape)), tf.float32) for shape in cell.state_shapes],
        "mask": tf.constant(random.random((batch, time)) < 0.7) if masked else None,
    }


def results(cell: Cell, problem: dict[str, Any], *, compiled: bool = False, **options: Any) -> list[Any]:
    """Outputs, final states, and the gradients of inputs, initial states and weights."""
    layer = Recurrent(cell, return_sequences=True, return_state=True, **options)
    layer.build(problem["inputs"].shape)
    sources = [problem["inputs"], *problem["states"], *(weight.value for weight in cell.weights)]

    @tf.function(jit_compile=compiled, autograph=False)
    def run(inputs: Any, states: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states])
            tensors = layer(inputs, initial_state=states, mask=problem["mask"], training=True)
            # Every output weighs differently, so that a wrong order or place shows.
            loss = sum(tf.reduce_sum(tf.sin(tensor + number)) for number, tensor in enumerate(tensors))
        weights = [weight.value for weight in cell.weights]
        return tensors, tape.gradient(loss, [inputs, *states, *weights], unconnected_gradients="zero")

    tensors, gradients = run(sources[0], problem["states"])
    return [np.asarray(tensor) for tensor in (*tensors, *gradients)]
