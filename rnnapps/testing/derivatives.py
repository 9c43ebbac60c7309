"""Derivatives beyond one tape: what a GAN, a gradient penalty, an influence study or a sensitivity analysis takes."""

from __future__ import annotations

from collections.abc import Callable, Collection

import keras
import tensorflow as tf

from rnnapps.kernels.choice import Kernel
from rnnapps.layers import Recurrent
from rnnapps.testing.subject import Subject
from rnnapps.types import NamedTensors, Tensor, Tensors

__all__ = ["DERIVATIVES", "check_derivatives"]

Function = Callable[[Tensor], Tensor]
"""Maps sequences `(batch, time, features)` to outputs `(batch, any)`, each row on its own."""


def _two_tapes(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """Two losses, each with a tape of its own around the same call, and one tape that is asked twice."""
    with tf.GradientTape() as one, tf.GradientTape() as other, tf.GradientTape(persistent=True) as both:
        for tape in (one, other, both):
            tape.watch(inputs)
        outputs = function(inputs)
        first, second = tf.reduce_sum(tf.sin(outputs)), tf.reduce_sum(outputs**2)
    sources = [inputs, *weights]
    gradients = one.gradient(first, sources) + other.gradient(second, sources)
    return list(gradients + both.gradient(first, sources) + both.gradient(second, sources))


def _gradient_penalty(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """The derivative of a gradient's square."""
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            loss = tf.reduce_sum(function(inputs) ** 2)
        penalty = tf.reduce_sum(inner.gradient(loss, inputs) ** 2)
    return list(outer.gradient(penalty, [inputs, *weights], unconnected_gradients=tf.UnconnectedGradients.ZERO))


def _jacobian(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """All derivatives of all outputs."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
    return list(tape.jacobian(outputs, [inputs, *weights]))


def _forward_mode(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """The derivative of the outputs along one direction of the inputs."""
    with tf.autodiff.ForwardAccumulator(inputs, tf.cos(inputs)) as accumulator:
        outputs = function(inputs)
    return [accumulator.jvp(outputs)]


def _tangent_of_tangent(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """The second derivative of the outputs along one direction of the inputs."""
    with tf.autodiff.ForwardAccumulator(inputs, tf.cos(inputs)) as outer:
        with tf.autodiff.ForwardAccumulator(inputs, tf.cos(inputs)) as inner:
            outputs = function(inputs)
        tangents = inner.jvp(outputs)
    return [outer.jvp(tangents)]


def _gradient_of_tangent(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """The gradient of the square of the derivative along one direction of the inputs."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        with tf.autodiff.ForwardAccumulator(inputs, tf.cos(inputs)) as accumulator:
            outputs = function(inputs)
        square = tf.reduce_sum(accumulator.jvp(outputs) ** 2)
    return list(tape.gradient(square, [inputs, *weights], unconnected_gradients=tf.UnconnectedGradients.ZERO))


def _vectorized_map(function: Function, inputs: Tensor, weights: Tensors) -> Tensors:
    """One gradient a row, all rows at once."""

    def of_row(row: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(row)
            loss = tf.reduce_sum(function(row[None]) ** 2)
        return tape.gradient(loss, row)

    return [tf.vectorized_map(of_row, inputs)]


DERIVATIVES: dict[str, Callable[[Function, Tensor, Tensors], Tensors]] = {
    "two tapes": _two_tapes,
    "gradient penalty": _gradient_penalty,
    "jacobian": _jacobian,
    "forward mode": _forward_mode,
    "tangent of a tangent": _tangent_of_tangent,
    "gradient of a tangent": _gradient_of_tangent,
    "vectorized map": _vectorized_map,
}
"""Each maps a function, its inputs and the weights it reads to derivatives."""


def check_derivatives(
    subject: Subject,
    *,
    names: Collection[str] = ("two tapes", "gradient penalty"),
    kernel: Kernel = "xla",
    traced: bool = True,
) -> None:
    """Some of `DERIVATIVES` through a fast kernel are those of a plain loop, in a function or outside of any."""
    inputs = subject.problem(time=3, batch=2).inputs
    kernels: tuple[Kernel, Kernel] = (kernel, "reference")
    for name in names:
        actual, expected = (_run(subject, DERIVATIVES[name], inputs, kernel=by, traced=traced) for by in kernels)
        where = "in tf.function" if traced else "outside of functions"
        remedy = f"{name} {where} disagrees with a plain loop: recur and update must be differentiable"
        subject.compare(actual, expected, remedy)


def _run(
    subject: Subject,
    derivative: Callable[[Function, Tensor, Tensors], Tensors],
    inputs: Tensor,
    *,
    kernel: Kernel,
    traced: bool,
) -> NamedTensors:
    """One of `DERIVATIVES` of a new layer around the cell."""
    keras.utils.set_random_seed(0)
    layer = Recurrent(subject.fresh(), kernel=kernel)
    layer.build(inputs.shape, constants_shape=subject.memory_shape)
    subject.copy_weights(layer.cell)
    weights = [weight.value for weight in layer.trainable_variables]
    beside = subject.problem(time=3, batch=2).beside
    # Kernels lay sequences out in different ways, so a cell that draws numbers draws others: its means are compared.
    training = len(layer.cell.variables) == len(layer.cell.weights)

    def function(sequences: Tensor) -> Tensor:
        rows = tf.shape(sequences)[0]  # one where rows are run one by one
        return layer(sequences, training=training, **tf.nest.map_structure(lambda tensor: tensor[:rows], beside))

    def run(sequences: Tensor) -> Tensors:
        return derivative(function, sequences, weights)

    results = (tf.function(run, autograph=False) if traced and kernel != "reference" else run)(inputs)
    return {f"derivative {number}": result for number, result in enumerate(results)}
