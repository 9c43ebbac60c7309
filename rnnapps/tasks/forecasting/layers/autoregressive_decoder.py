"""A decoder that walks through the horizon, reading its own forecast of the step before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.layers.weight_drop import WeightDrop
from rnnapps.types import Tensor, Tensors

__all__ = ["AutoregressiveDecoder"]


@keras.saving.register_keras_serializable(package="rnnapps")
class AutoregressiveDecoder(keras.layers.Layer):
    """The decoder of a sequence-to-sequence forecaster (Sutskever et al. 2014, arXiv:1409.3215, without attention).

    It is trained as it is used, on its own forecasts instead of the true values, so that nothing it meets in use is
    new to it.

    Args:
        cells: one cell a layer; they start from the encoder's final states.
        steps: recurrent steps.
        outputs: numbers it gives in each step.
        fed_back: places of the outputs that the next step reads.
        weight_drop: share of the recurrent weights dropped while training, see `Recurrent`.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        *,
        steps: int,
        outputs: int,
        fed_back: Sequence[int],
        weight_drop: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cells, self.steps, self.outputs, self.fed_back = list(cells), steps, outputs, list(fed_back)
        self.weight_drop, self._dropping = weight_drop, WeightDrop(weight_drop)
        self.seed_generator = keras.random.SeedGenerator() if weight_drop else None
        self.reader = keras.layers.Dense(self.cells[0].output_size, name="read", dtype=self.dtype_policy)
        self.writer = keras.layers.Dense(outputs, name="write", dtype=self.dtype_policy)

    def build(
        self,
        first_shape: Sequence[int | None],
        states_shape: object = None,
        known_shape: Sequence[int] | None = None,
    ) -> None:
        """Makes the weights."""
        known = known_shape[-1] if known_shape is not None else 0
        self.reader.build((None, len(self.fed_back) + known))
        size = self.cells[0].output_size
        for cell in self.cells:
            if not cell.built:
                cell.build((None, size))
                cell.built = True
            size = cell.output_size
        self._dropping.find(*self.cells)
        self.writer.build((None, size))

    def call(
        self, first: Tensor, states: Sequence[Tensor], known: Tensor | None = None, training: bool = False
    ) -> Tensor:
        """Decodes.

        Args:
            first: what the first step reads `(rows, fed back)`.
            states: the encoder's final states.
            known: what is known of each step `(rows, steps, features)`, or None.
            training: whether recurrent weights are dropped.

        Returns:
            `(rows, steps, outputs)`.
        """
        dropped = self._dropping.draw(self.seed_generator) if training else None
        by_step = None if known is None else tf.transpose(known, [1, 0, 2])  # time first: a step gathers one slice

        def body(
            step: Tensor, value: Tensor, states: Tensors, written: tf.TensorArray
        ) -> tuple[Tensor, Tensor, Tensors, tf.TensorArray]:
            inputs = value if by_step is None else tf.concat([value, tf.gather(by_step, step)], axis=-1)
            output, new = self._advance(inputs, states)
            fed_back = tf.ensure_shape(tf.gather(output, self.fed_back, axis=-1), value.shape)
            return step + 1, fed_back, new, written.write(step, output)

        written = tf.TensorArray(first.dtype, size=self.steps, element_shape=(first.shape[0], self.outputs))
        start = (tf.constant(0), first, list(states), written)
        with self._dropping.using(dropped):
            *_, written = tf.while_loop(lambda step, *_: step < self.steps, body, start, maximum_iterations=self.steps)
        return tf.transpose(written.stack(), [1, 0, 2])

    def _advance(self, inputs: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        """One step through all layers."""
        hidden, new = self.reader(inputs), list[Tensor]()
        for cell in self.cells:
            own = states[len(new) : len(new) + len(cell.state_size)]
            hidden, after = cell.call(hidden, own)
            new += [tf.ensure_shape(state, old.shape) for state, old in zip(after, own, strict=True)]
        return self.writer(hidden), new

    def compute_output_shape(
        self, first_shape: Sequence[int | None], states_shape: object = None, known_shape: object = None
    ) -> tuple[int | None, int, int]:
        """`(rows, steps, outputs)`."""
        return (first_shape[0], self.steps, self.outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        cells = [keras.saving.serialize_keras_object(cell) for cell in self.cells]
        return config | {
            "cells": cells,
            "steps": self.steps,
            "outputs": self.outputs,
            "fed_back": self.fed_back,
            "weight_drop": self.weight_drop,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AutoregressiveDecoder:
        """Makes the layer from `get_config`."""
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**(config | {"cells": cells}))
