"""Compares a cell with an independent NumPy step in float64: outputs, states, and gradients by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell
from rnnapps.kernels import reference

__all__ = ["check_against", "sigmoid"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Weights = dict[str, Array]
Step = Callable[[Array, list[Array], Weights], list[Array]]

BATCH, TIME = 2, 3


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def check_against(step: Step, cell: Cell, *, features: int = 2, timed: bool = False) -> None:
    """Asserts that a float64 cell computes what `step` does.

    Args:
        step: (one row's input `(features,)`, its states, the weights by name) -> its new states, in plain NumPy.
        cell: the unbuilt cell, made with dtype="float64".
        features: number of input features.
        timed: whether the cell gets the time since the step before; `step` finds it behind the features.
    """
    rng = np.random.default_rng(7)
    cell.build((None, None, features))
    for weight in cell.trainable_variables:
        weight.assign(rng.normal(size=weight.shape) * 0.7)
    weights = {weight.name: weight.numpy().copy() for weight in cell.trainable_variables}
    assert len(weights) == len(cell.trainable_variables)
    inputs = rng.normal(size=(BATCH, TIME, features))
    if timed:
        inputs = np.concatenate([inputs, rng.exponential(size=(BATCH, TIME, 1))], axis=-1)
    states = [rng.normal(size=(BATCH, *shape)) for shape in cell.state_shapes]
    cotangents = [rng.normal(size=(BATCH, TIME, *shape)) for shape in cell.state_shapes]

    every, gradients = _differentiate(cell, inputs, states, cotangents, timed)
    expected = _run(step, inputs, states, weights)
    for have, want in zip(every, expected, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-10, atol=1e-12)

    def loss() -> float:
        return sum(float(np.sum(a * c)) for a, c in zip(_run(step, inputs, states, weights), cotangents, strict=True))

    for array, gradient in zip([inputs, *states, *weights.values()], gradients, strict=True):
        np.testing.assert_allclose(gradient, _finite_differences(loss, array), rtol=1e-5, atol=1e-7)


def _run(step: Step, inputs: Array, states: list[Array], weights: Weights) -> list[Array]:
    """Every state of every step, each `(batch, time, size)`."""
    results: list[list[list[Array]]] = [[] for _ in states]
    for row in range(BATCH):
        current = [state[row] for state in states]
        for result in results:
            result.append([])
        for t in range(TIME):
            current = step(inputs[row, t], current, weights)
            for result, state in zip(results, current, strict=True):
                result[-1].append(state)
    return [np.array(result) for result in results]


def _differentiate(
    cell: Cell, inputs: Array, states: list[Array], cotangents: list[Array], timed: bool
) -> tuple[Any, Any]:
    x, start = tf.constant(inputs), [tf.constant(state) for state in states]
    with tf.GradientTape() as tape:
        tape.watch([x, *start])
        projected = cell.project_after(x[..., :-1], x[..., -1:]) if timed else cell.project(x)
        steps = reference.hidden_states(cell, projected, start)
        every = [tf.stack([step[n] for step in steps], axis=1) for n in range(len(states))]
    sources = [x, *start, *(weight.value for weight in cell.trainable_variables)]
    gradients = tape.gradient(
        every, sources, output_gradients=cotangents, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    return every, gradients


def _finite_differences(loss: Callable[[], float], array: Array, delta: float = 1e-6) -> Array:
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + delta
        above = loss()
        array[index] = value - delta
        below = loss()
        array[index] = value
        gradient[index] = (above - below) / (2 * delta)
    return gradient
