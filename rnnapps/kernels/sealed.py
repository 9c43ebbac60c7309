"""A function of tensors that no tape looks into, compiled by XLA if wanted, with derivatives of every order."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.kernels.loop import step_by_step
from rnnapps.kernels.pullback import pullback
from rnnapps.kernels.tangents import has_tangent
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["Sealed"]


class Sealed:
    """A loop as one operation: its derivatives, where they are asked for, are those of the function run once more.

    TensorFlow differentiates a function by cutting it open, and hands on what its loops stacked. That cannot cross the
    border of an XLA program, nor, in forward mode, that of a graph: two tapes, a persistent one, and any derivative of
    a gradient fail. Here nothing crosses but arguments and results. (Ordinary backpropagation through time never
    differentiates a loop: `sequential.scan` and `linear_scan` have gradients of their own.)

    Args:
        function: maps nests of tensors, None among them, to a nest of tensors; what it uses of its surroundings is
            constant to its derivatives.
        compiled: make it an XLA program, traced and compiled once for each structure and shapes of its arguments;
            where forward mode follows an argument in the same graph, plain operations instead.
    """

    def __init__(self, function: Callable[..., Nest], *, compiled: bool) -> None:
        self._function = function
        self._program = tf.function(function, jit_compile=True, autograph=False) if compiled else None

    def __call__(self, *arguments: Nest) -> Nest:
        """Returns what the function makes of the arguments."""
        flat = tf.nest.flatten(arguments)
        places = [place for place, argument in enumerate(flat) if argument is not None]
        structure: list[Nest] = []

        def rebuilt(tensors: Tensors) -> Nest:
            full: list[Tensor | None] = [None] * len(flat)
            for place, tensor in zip(places, tensors, strict=True):
                full[place] = tensor
            return tf.nest.pack_sequence_as(arguments, full)

        @tf.custom_gradient
        def run(*tensors: Tensor) -> tuple[Tensors, Callable[..., list[Tensor | None]]]:
            results = self._run(rebuilt(list(tensors)))
            structure.append(results)

            def gradient(*d_results: Tensor) -> list[Tensor | None]:
                return _pullback(lambda copies: self._function(*rebuilt(copies)), list(tensors), list(d_results))

            return tf.nest.flatten(results), gradient

        # Copies, which belong to the graph of this call: arguments from a graph around it are out of reach for whoever
        # differentiates this graph alone.
        results = run(*(tf.identity(flat[place]) for place in places))
        return tf.nest.pack_sequence_as(structure[0], tf.nest.flatten(results))

    def _run(self, arguments: Nest) -> Nest:
        """The function or its program."""
        # An accumulator gives a result the tangent of the operation that made it, and does not ask for the gradient of
        # `tf.custom_gradient`, which is told to it only afterwards: from a program that hides its arguments the tangent
        # would be 0.
        if has_tangent(arguments):
            with step_by_step():
                return self._function(*arguments)
        if self._program is None:
            return self._function(*arguments)
        # A tape that does not see the arguments does not begin to cut the program open.
        hidden = [None if tensor is None else tf.stop_gradient(tensor) for tensor in tf.nest.flatten(arguments)]
        return self._program(*tf.nest.pack_sequence_as(arguments, hidden))


def _pullback(function: Callable[[Tensors], Nest], sources: Tensors, cotangents: Tensors) -> list[Tensor | None]:
    """Vector-Jacobian product of a function; None for sources that are no numbers."""
    places = [place for place, source in enumerate(sources) if source.dtype.is_floating]

    def of_numbers(numbers: Tensors) -> Tensors:
        known = dict(zip(places, numbers, strict=True))
        return list(tf.nest.flatten(function([known.get(place, source) for place, source in enumerate(sources)])))

    gradients = dict(zip(places, pullback(of_numbers, [sources[place] for place in places], cotangents), strict=True))
    return [gradients.get(place) for place in range(len(sources))]
