"""Contestants for cells with a matrix memory: by chunks and step by step, in a graph and compiled."""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf

from benchmarks import problems
from rnnapps.cells import make_cell
from rnnapps.kernels import chunkwise, sequential
from rnnapps.types import Tensor, Tensors

__all__ = ["scan"]


class MemorySubject:
    """Runs a cell over sequences, time first, and differentiates the mean square of its outputs.

    Args:
        case: the shapes.
        cell: name of the cell.
        form: which kernel: by chunks, or the loop over steps that any cell may take.
        compiled: whether the kernel makes XLA programs.
    """

    def __init__(self, case: problems.Case, cell: str, form: Literal["chunks", "steps"], *, compiled: bool) -> None:
        keras.utils.set_random_seed(3)
        self.cell, self.form, self.compiled = make_cell(cell, case.units), form, compiled
        self.cell.build((None, case.features))
        self.inputs = tf.constant(problems.inputs(case).swapaxes(0, 1))
        self.function = tf.function(self._step, autograph=False)

    def run(self) -> Tensors:
        """Runs the function once."""
        results: Tensors = self.function(self.inputs)
        return results

    def answers(self) -> dict[str, float]:
        """The outputs and every gradient, each as one number."""
        outputs, d_inputs, *gradients = [result.numpy() for result in self.run()]
        numbers = problems.summary(outputs) | {"gradient of the inputs": problems.projection(d_inputs)}
        names = [f"gradient of the {weight.name}" for weight in self.cell.trainable_weights]
        return numbers | {name: problems.projection(d) for name, d in zip(names, gradients, strict=True)}

    def _step(self, inputs: Tensor) -> Tensors:
        """The outputs, and the gradients of the inputs and of the weights."""
        weights = [weight.value for weight in self.cell.trainable_weights]
        kernel = chunkwise.scan if self.form == "chunks" else sequential.scan
        states = self.cell.initial_states(inputs.shape[1])
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            projected = self.cell.project(inputs)
            outputs, _ = kernel(self.cell, projected, states, time_major=True, compiled=self.compiled)
            loss = tf.reduce_mean(tf.square(outputs))
        return [outputs, *tape.gradient(loss, [inputs, *weights])]


def scan(*, case: str, cell: str, form: Literal["chunks", "steps"], compiled: bool) -> MemorySubject:
    """One way to run a cell; `case` is the shapes as text."""
    return MemorySubject(problems.Case.parse(case), cell, form, compiled=compiled)
