"""Contestants that run on TensorFlow: our layers, Keras's layers, and any of our cells in `keras.layers.RNN`."""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf

from benchmarks import problems
from rnnapps.cells import Cell, make_cell
from rnnapps.kernels.choice import Kernel, gains_as_one_program
from rnnapps.layers import Recurrent
from rnnapps.types import Tensor, Tensors

__all__ = ["Mode", "keras_layer", "keras_loop", "ours"]

Mode = Literal["auto", "xla", "nested", "graph"]
_KERAS_LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}


class TensorFlowSubject:
    """A recurrent layer's training step or forward pass as one `tf.function`.

    Args:
        layer: maps `(batch, time, features)` to `(batch, time, units)`.
        cell: name of its cell; a cell that other frameworks have gets the weights of `problems`.
        case: the shapes.
        training: gradients of the mean square of the outputs with respect to inputs and weights, or outputs only.
        compiled: `jit_compile` of the function.
    """

    def __init__(
        self, layer: keras.layers.Layer, cell: str, case: problems.Case, *, training: bool, compiled: bool
    ) -> None:
        self.layer, self.inputs = layer, tf.constant(problems.inputs(case))
        layer.build((case.batch, case.time, case.features))
        if cell in problems.GATES:
            layer.set_weights(problems.weights(cell, case))
        step = self._training_step if training else self._forward
        self.function = tf.function(step, jit_compile=compiled, autograph=False)

    def run(self) -> Tensors:
        """Runs the function once; on a CPU it returns when all is computed."""
        outputs: Tensors = self.function(self.inputs)
        return outputs

    def answers(self) -> dict[str, float]:
        """The summary of outputs and gradients."""
        outputs, *gradients = [tensor.numpy() for tensor in self.run()]
        return problems.summary(outputs, gradients[:3])

    def _forward(self, inputs: Tensor) -> Tensors:
        """The outputs."""
        return [self.layer(inputs, training=False)]

    def _training_step(self, inputs: Tensor) -> Tensors:
        """The outputs, and the gradients of the inputs and of all weights."""
        weights = [weight.value for weight in self.layer.trainable_weights]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = self.layer(inputs, training=True)
            loss = tf.reduce_mean(tf.square(outputs))
        return [outputs, *tape.gradient(loss, [inputs, *weights])]


def ours(*, cell: str, case: str, training: bool, mode: Mode = "auto", recompute_every: int = 0) -> TensorFlowSubject:
    """Our layer.

    Args:
        cell: name in `rnnapps.cells.CELLS`.
        case: the shapes, as text.
        training: training step or forward pass.
        mode: "xla" compiles the whole function, "graph" compiles nothing, "nested" only the loops; "auto" does what
            our training loop and our layer do by themselves.
        recompute_every: of `Recurrent`.
    """
    shapes = problems.Case.parse(case)
    if mode == "auto":
        mode = _mode_of(shapes)
    kernels: dict[Mode, Kernel] = {"xla": "auto", "nested": "xla", "graph": "graph"}
    layer = Recurrent(_cell(cell, shapes), return_sequences=True, kernel=kernels[mode], recompute_every=recompute_every)
    return TensorFlowSubject(layer, cell, shapes, training=training, compiled=mode == "xla")


def keras_layer(*, cell: str, case: str, training: bool, compiled: bool) -> TensorFlowSubject:
    """Keras's own layer of that name."""
    shapes = problems.Case.parse(case)
    layer = _KERAS_LAYERS[cell](shapes.units, return_sequences=True)
    return TensorFlowSubject(layer, cell, shapes, training=training, compiled=compiled)


def keras_loop(*, cell: str, case: str, training: bool, compiled: bool) -> TensorFlowSubject:
    """Our cell in Keras's generic loop."""
    shapes = problems.Case.parse(case)
    layer = keras.layers.RNN(_cell(cell, shapes), return_sequences=True)
    return TensorFlowSubject(layer, cell, shapes, training=training, compiled=compiled)


def _mode_of(case: problems.Case) -> Mode:
    """What runs without being told: the training loop compiles the whole step of small batches."""
    return "xla" if gains_as_one_program(case.batch) else "nested"


def _cell(name: str, case: problems.Case) -> Cell:
    """A built cell; equal random weights wherever it is used, also those that no other framework has."""
    keras.utils.set_random_seed(0)
    cell = make_cell(name, case.units)
    cell.build((case.batch, case.features))
    cell.built = True
    return cell
