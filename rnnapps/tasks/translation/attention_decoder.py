"""A recurrent decoder with attention: over whole target sequences, and one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from rnnapps.kernels.step import beside
from rnnapps.layers.stack import RecurrentStack
from rnnapps.tasks.translation.attention import Attention
from rnnapps.types import Tensor, Tensors

__all__ = ["AttentionDecoder", "Memory"]


class Memory(NamedTuple):
    """What a decoder attends to.

    Attributes:
        values: `(batch, places, size)`.
        keys: what `Attention.keys` makes of them.
        mask: bool `(batch, places)`, True where valid; None where all are.
    """

    values: Tensor
    keys: Tensor
    mask: Tensor | None


@keras.saving.register_keras_serializable(package="rnnapps")
class AttentionDecoder(keras.layers.Layer):
    """Recurrent layers, attention with their outputs as queries, and an attentional vector.

    h = recurrent(inputs), c = attention(h, memory), a = tanh(W [c; h]), after Luong et al. 2015 (arXiv:1508.04025,
    equation 5). With a `context` stack, further recurrent layers read [h; c], and a = tanh(W [c; their outputs]).

    Without input feeding no recurrence contains the attention: layers run over all steps at once with the fast kernel,
    and so does the attention between them. With input feeding (section 3.3) the recurrent layers also read the
    attentional vector of the step before, and training goes step by step.

    Args:
        recurrent: the layers below the attention.
        context: the layers above it; none by default.
        attention: what attends.
        units: size of the attentional vector.
        input_feeding: whether the recurrence contains the attention.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(
        self,
        recurrent: RecurrentStack,
        attention: Attention,
        *,
        units: int,
        context: RecurrentStack | None = None,
        input_feeding: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recurrent, self.attention, self.context = recurrent, attention, context
        self.units, self.input_feeding = units, input_feeding
        self.combine = keras.layers.Dense(units, activation="tanh", name="combine", dtype=self.dtype_policy)

    def build(
        self,
        inputs_shape: Sequence[int | None],
        memory_shape: Sequence[int | None],
        states_shape: object = None,
        **_: object,
    ) -> None:
        """Makes the weights for inputs `(batch, time, features)` and a memory `(batch, places, size)`."""
        features, depth = int(inputs_shape[-1] or 0), int(memory_shape[-1] or 0)
        size = self.recurrent.output_size
        self.recurrent.build((None, None, features + (self.units if self.input_feeding else 0)))
        self.attention.build((None, None, size), (None, None, depth))
        if self.context is not None:
            self.context.build((None, None, size + depth))
            size = self.context.output_size
        self.combine.build((None, None, depth + size))
        self.built = True

    @property
    def state_sizes(self) -> list[int | tuple[int, ...]]:
        """Sizes of the states of all recurrent layers, the lowest first; those an encoder may set."""
        return self.recurrent.state_sizes + (self.context.state_sizes if self.context else [])

    def attend_to(self, values: Tensor, mask: Tensor | None) -> Memory:
        """Prepares what to attend to: values `(batch, places, size)`, bool mask `(batch, places)`."""
        values = tf.cast(values, self.compute_dtype)
        return Memory(values, self.attention.keys(values), mask)

    def start(self, states: Sequence[Tensor]) -> Tensors:
        """All states before the first step, from those of the recurrent layers `(batch, size)`."""
        feed = [tf.zeros((tf.shape(states[0])[0], self.units), self.compute_dtype)] if self.input_feeding else []
        return [*states, *feed]

    def call(
        self,
        inputs: Tensor,
        memory: Tensor,
        states: Sequence[Tensor],
        *,
        memory_mask: Tensor | None = None,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Runs all steps.

        Args:
            inputs: `(batch, time, features)`.
            memory: `(batch, places, size)`.
            states: first states of the recurrent layers, each `(batch, size)`.
            memory_mask: bool `(batch, places)`.
            mask: bool `(batch, time)`, True where a step is valid.
            training: whether dropout is on.

        Returns:
            Attentional vectors `(batch, time, units)` and attention weights `(batch, time, places)`.
        """
        read = self.attend_to(memory, memory_mask)
        vectors, weights, _ = self.go_on(inputs, read, self.start(states), mask=mask, training=training)
        return vectors, weights

    def go_on(
        self,
        inputs: Tensor,
        memory: Memory,
        states: Sequence[Tensor],
        *,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Tensors]:
        """Runs any number of steps from states as `start` or this function gave them.

        Args:
            inputs: `(batch, time, features)`.
            memory: what to attend to.
            states: each `(batch, size)`.
            mask: bool `(batch, time)`, True where a step is valid; the others leave the states as they are.
            training: whether dropout is on.

        Returns:
            Attentional vectors `(batch, time, units)`, attention weights `(batch, time, places)`, and the new states.
        """
        if self.input_feeding:
            return self._stepwise(inputs, memory, list(states), mask=mask, training=training)
        return self._advance(inputs, memory, list(states), mask=mask, training=training)

    def step(
        self, inputs: Tensor, memory: Memory, states: Sequence[Tensor], training: bool = False
    ) -> tuple[Tensor, Tensor, Tensors]:
        """One step: inputs `(batch, features)`, memory, states -> (vectors, attention weights, new states)."""
        *states, feed = states if self.input_feeding else (*states, None)
        read = inputs if feed is None else tf.concat([inputs, feed], axis=-1)
        vectors, weights, new = self._advance(read[:, None], memory, states, training=training)
        return vectors[:, 0], weights[:, 0], new if feed is None else [*new, vectors[:, 0]]

    def _advance(
        self, inputs: Tensor, memory: Memory, states: Tensors, *, mask: Tensor | None = None, training: bool
    ) -> tuple[Tensor, Tensor, Tensors]:
        """Any number of steps whose attention no recurrence contains; returns as `step` does, with a time axis."""
        count = len(self.recurrent.state_sizes)
        hidden, new = self.recurrent(inputs, states=states[:count], mask=mask, training=training)
        contexts, weights = self.attention(hidden, memory.values, keys=memory.keys, mask=memory.mask)
        if self.context is not None:
            joined = tf.concat([hidden, contexts], axis=-1)
            hidden, upper = self.context(joined, states=states[count:], mask=mask, training=training)
            new = [*new, *upper]
        return self.combine(tf.concat([contexts, hidden], axis=-1)), weights, new

    def _stepwise(
        self, inputs: Tensor, memory: Memory, states: Tensors, *, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor, Tensors]:
        """All steps one after the other, in graph: with input feeding each reads what the one before wrote."""
        steps, batch = tf.shape(inputs)[1], tf.shape(inputs)[0]
        columns = tf.transpose(inputs, [1, 0, 2])  # time first: a step reads one slice
        kinds = (self.compute_dtype, tf.float32)
        shapes = ((inputs.shape[0], self.units), (inputs.shape[0], memory.values.shape[1]))
        arrays = [tf.TensorArray(kind, steps, element_shape=shape) for kind, shape in zip(kinds, shapes, strict=True)]

        def body(
            now: Tensor, vectors: tf.TensorArray, weights: tf.TensorArray, *states: Tensor
        ) -> tuple[Tensor | tf.TensorArray, ...]:
            vector, weight, new = self.step(columns[now], memory, states, training)
            if mask is not None:
                new = [
                    tf.where(beside(mask[:, now], state), state, old) for state, old in zip(new, states, strict=True)
                ]
            for state, old in zip(new, states, strict=True):
                state.set_shape(old.shape)  # a loop variable must not lose what is known of its shape
            return now + 1, vectors.write(now, vector), weights.write(now, weight), *new

        start = (tf.constant(0), *arrays, *states)
        _, vectors, weights, *last = tf.while_loop(
            lambda now, *_: now < steps, body, start, maximum_iterations=steps, parallel_iterations=1
        )
        shape = [batch, steps, self.units]
        together = tf.reshape(tf.transpose(vectors.stack(), [1, 0, 2]), shape)
        return together, tf.transpose(weights.stack(), [1, 0, 2]), last

    def compute_output_shape(
        self, inputs_shape: Sequence[int | None], memory_shape: Sequence[int | None], *_: object, **__: object
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Shapes of the attentional vectors and of the attention weights."""
        return (*inputs_shape[:2], self.units), (*inputs_shape[:2], memory_shape[1])

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        parts = {"recurrent": self.recurrent, "attention": self.attention, "context": self.context}
        saved = {name: part and keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        return {**super().get_config(), **saved, "units": self.units, "input_feeding": self.input_feeding}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AttentionDecoder:
        """Makes the layer from `get_config`."""
        names = ("recurrent", "attention", "context")
        parts = {name: config[name] and keras.saving.deserialize_keras_object(config[name]) for name in names}
        return cls(**(config | parts))
