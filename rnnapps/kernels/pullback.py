"""Vector-Jacobian products that work wherever they are traced."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.types import Tensor, Tensors

__all__ = ["pullback"]


def pullback(function: Callable[[Tensors], Tensors], sources: Tensors, cotangents: Tensors) -> Tensors:
    """Vector-Jacobian product of a function; zeros where a source has no influence.

    Args:
        function: computes results from the sources that it is given.
        sources: the tensors to differentiate by, each for itself: where one was computed from another, that way is
            not followed.
        cotangents: one for each result.
    """
    if not tf.executing_eagerly():
        # Symbolic: a tape records nothing while forward mode transposes what is traced here, and would answer 0. From
        # copies, upon which nothing else depends that the function may use.
        copies = [tf.identity(source) for source in sources]
        results = function(copies)
        return _or_zeros(tf.gradients(results, copies, cotangents) if results else [], sources)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(sources)
        results = function(sources)
    return _or_zeros(tape.gradient(results, sources, cotangents) if results else [], sources)


def _or_zeros(gradients: list[Tensor | None], sources: Tensors) -> Tensors:
    """The gradients, with zeros where there is none."""
    if not gradients:
        return [tf.zeros_like(source) for source in sources]
    return [
        tf.zeros_like(source) if gradient is None else gradient
        for gradient, source in zip(gradients, sources, strict=True)
    ]
