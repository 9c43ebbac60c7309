"""What followed the longest passage of the piece so far that is like its last steps: most music returns to itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from rnnapps.types import Size, Tensor

__all__ = ["BOUNDS", "KINDS", "Echo", "Recalled"]

BOUNDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Shortest passages, in steps, of each kind."""
KINDS = len(BOUNDS)
BITS = 22
"""Keys in a number: as many as float32 holds exactly, with one more."""


class Recalled(NamedTuple):
    """What a piece recalls at a step, or at several.

    Attributes:
        frame: what followed the passage, 0 or 1 `(..., keys)`; all 0 where there is none.
        kind: int32 `(...)`, place in `BOUNDS` by the length of the passage; -1 where there is none.
    """

    frame: Tensor
    kind: Tensor


@keras.saving.register_keras_serializable(package="rnnapps")
class Echo(keras.layers.Layer):
    """Logits of keys, from what followed the longest earlier passage that is like the last steps.

    Of several as long the latest counts. Logits are a weight for keys that sounded then, and another for keys that did
    not, by the length of the passage: added to a network's logits they mix both as logistic mixing does (Mahoney 2005,
    "Adaptive weighing of context models for lossless data compression", section 3). The weights are no part of the
    network's own training: they are fitted to held-out pieces, and are 0 until then.

    The state `(batch, steps, numbers + 1)`, float32, holds of each of the last frames, the latest first, its keys as
    numbers of 22 bits, the first of them one higher, so that 0 is no frame; and behind them for how many steps up to
    now the piece has been what it was so many steps ago.

    Args:
        keys: number of keys.
        steps: how far it looks back.
        **kwargs: `name` of the Keras layer.

    Attributes:
        kernel: float32 `(kinds, 2)`: logits of keys that sounded, and of those that did not.
    """

    def __init__(self, keys: int, *, steps: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.keys, self.steps = keys, steps
        self.supports_masking = True
        self.numbers = -(-keys // BITS)

    def build(self, *_: Any) -> None:
        """Makes the weights."""
        self.kernel = self.add_weight(name="kernel", shape=(KINDS, 2), initializer="zeros", trainable=False)

    @property
    def state_shape(self) -> tuple[int, int]:
        """Of a row's state."""
        return self.steps, self.numbers + 1

    def initial_state(self, rows: Size) -> Tensor:
        """The state before a piece."""
        return tf.zeros([rows, *self.state_shape])

    def call(self, frames: Tensor, state: Tensor, mask: Tensor | None = None, training: bool = False) -> Any:
        """Logits to add to those of the frame behind each frame.

        Args:
            frames: 0 or 1 `(batch, time, keys)`.
            state: before the first.
            mask: bool `(batch, time)`; a frame where it is False is not there.
            training: no weight is trained: nothing is looked up.

        Returns:
            `(batch, time, keys)`, and the state behind the last frame.
        """
        if training:
            return tf.zeros_like(frames), tf.identity(state)
        recalled, after = self.recall_all(frames, state, mask)
        return self.logits(recalled), after

    def logits(self, recalled: Recalled) -> Tensor:
        """Logits `(..., keys)` of what was recalled."""
        kernel = tf.convert_to_tensor(self.kernel.value)  # to gather from the variable itself is no plain computation
        weights = tf.gather(kernel, tf.maximum(recalled.kind, 0))
        logits = tf.where(recalled.frame > 0, weights[..., :1], weights[..., 1:])
        return tf.where((recalled.kind >= 0)[..., None], logits, 0.0)

    def recall_all(self, frames: Tensor, state: Tensor, mask: Tensor | None = None) -> tuple[Recalled, Tensor]:
        """What is recalled behind each of the frames `(batch, time, keys)`, and the state behind the last."""
        steps, rows = tf.shape(frames)[1], frames.shape[0]
        there = tf.ones(tf.shape(frames)[:2], tf.bool) if mask is None else mask
        shapes = ((tf.float32, (rows, self.keys)), (tf.int32, (rows,)))
        arrays = [tf.TensorArray(kind, steps, element_shape=shape) for kind, shape in shapes]

        def body(now: Tensor, state: Tensor, *arrays: tf.TensorArray) -> tuple[Tensor | tf.TensorArray, ...]:
            recalled, after = self.recall(frames[:, now], state)
            kept = tf.ensure_shape(tf.where(there[:, now, None, None], after, state), state.shape)
            return now + 1, kept, *(array.write(now, part) for array, part in zip(arrays, recalled, strict=True))

        start = (tf.constant(0), tf.convert_to_tensor(state), *arrays)
        _, after, found, kinds = tf.while_loop(lambda now, *_: now < steps, body, start, parallel_iterations=1)
        return Recalled(tf.transpose(found.stack(), [1, 0, 2]), tf.transpose(kinds.stack())), after

    def recall(self, frame: Tensor, state: Tensor) -> tuple[Recalled, Tensor]:
        """What followed the passage that is like the last steps up to a frame `(batch, keys)`, and the state."""
        now = self.numbers_of(frame)[:, None]
        numbers = tf.concat([now, state[:, :-1, : self.numbers]], axis=1)
        same = tf.reduce_all(tf.equal(numbers, now), axis=-1)
        # The frame itself is no earlier one; what was so many steps ago for some steps is so for one more, or for none.
        lengths = tf.where(same, state[:, :, self.numbers] + 1, 0.0)
        lengths = tf.concat([tf.zeros_like(lengths[:, :1]), lengths[:, 1:]], axis=1)
        ago = tf.argmax(lengths, axis=1, output_type=tf.int32)
        longest = tf.gather(lengths, ago, batch_dims=1)
        kind = tf.searchsorted(tf.constant(BOUNDS, tf.float32), longest, side="right") - 1
        following = self.keys_of(tf.gather(numbers, tf.maximum(ago - 1, 0), batch_dims=1))
        after = tf.concat([numbers, lengths[..., None]], axis=-1)
        return Recalled(tf.where((kind >= 0)[:, None], following, 0.0), kind), after

    def numbers_of(self, frame: Tensor) -> Tensor:
        """Keys `(batch, keys)` as numbers `(batch, numbers)`, the first one higher."""
        padded = tf.pad(tf.cast(frame, tf.float32), [[0, 0], [0, self.numbers * BITS - self.keys]])
        powers = tf.constant([float(2**bit) for bit in range(BITS)])
        numbers = tf.reduce_sum(tf.reshape(padded, [-1, self.numbers, BITS]) * powers, axis=-1)
        return numbers + tf.one_hot(0, self.numbers)

    def keys_of(self, numbers: Tensor) -> Tensor:
        """Numbers `(batch, numbers)` as keys `(batch, keys)`, 0 or 1."""
        whole = tf.cast(numbers - tf.one_hot(0, self.numbers), tf.int32)[..., None]
        bits = whole // tf.constant([2**bit for bit in range(BITS)]) % 2
        return tf.cast(tf.reshape(bits, [-1, self.numbers * BITS])[:, : self.keys], tf.float32)

    def compute_mask(self, frames: Tensor, previous_mask: object) -> tuple[None, None]:
        """None: the lengths of rows are the caller's concern."""
        return None, None

    def compute_output_shape(
        self, frames_shape: Sequence[int | None], state_shape: Sequence[int | None]
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Those of the logits and of the state."""
        return tuple(frames_shape), tuple(state_shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"keys": self.keys, "steps": self.steps}
