"""Contestants for the linear recurrence: both forms, in a graph and compiled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks import problems
from rnnapps.kernels.linear_scan import Form, linear_scan
from rnnapps.types import Tensor, Tensors

__all__ = ["scan"]


class ScanSubject:
    """Solves h_t = a_t * h_{t-1} + b_t and differentiates the mean square of all h_t.

    Args:
        case: the shapes; `features` has no meaning here.
        form: of `linear_scan`.
        compiled: `jit_compile`.
    """

    def __init__(self, case: problems.Case, form: Form, *, compiled: bool) -> None:
        random, shape = np.random.default_rng(3), (case.time, case.batch, case.units)
        self.a = tf.constant(random.uniform(0.5, 1.0, shape).astype(np.float32))
        self.b = tf.constant(random.standard_normal(shape, np.float32))
        self.start, self.form = tf.zeros(shape[1:]), form
        self.function = tf.function(self._step, jit_compile=compiled, autograph=False)

    def run(self) -> Tensors:
        """Runs the function once."""
        results: Tensors = self.function(self.a, self.b, self.start)
        return results

    def answers(self) -> dict[str, float]:
        """The summary of the states and the gradients."""
        states, d_a, d_b, d_start = [result.numpy() for result in self.run()]
        return problems.summary(states, [d_a, d_b, d_start])

    def _step(self, a: Tensor, b: Tensor, start: Tensor) -> Tensors:
        """The states, and the gradients of a, b and the start."""
        with tf.GradientTape() as tape:
            tape.watch([a, b, start])
            states, _ = linear_scan(a, b, start, form=self.form)
            loss = tf.reduce_mean(tf.square(states))
        return [states, *tape.gradient(loss, [a, b, start])]


def scan(*, case: str, form: Form, compiled: bool) -> ScanSubject:
    """One form of the scan; `case` is the shapes as text."""
    return ScanSubject(problems.Case.parse(case), form, compiled=compiled)
