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
PART = 64
"""Frames that are looked up at once."""
MOST_PARTS = 4
"""Of a known number of frames: parts that are written out one by one, without a loop."""


class Recalled(NamedTuple):
    """What a piece recalls at each step.

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

    The state `(batch, steps, numbers + 1)`, float32, holds the keys of the last frames, the latest last, as numbers of
    22 bits, the first of them one higher, so that 0 is no frame; and behind them, in place n, for how many steps up to
    now the piece has been what it was n steps ago.

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
            mask: bool `(batch, time)`, False behind a row's end.
            training: no weight is trained: nothing is looked up.

        Returns:
            `(batch, time, keys)`, and the state behind each row's last frame.
        """
        if training:
            return tf.zeros_like(frames), tf.identity(state)
        recalled, after = self.recall(frames, state, mask)
        return self.logits(recalled), after

    def logits(self, recalled: Recalled) -> Tensor:
        """Logits `(..., keys)` of what was recalled."""
        kernel = tf.convert_to_tensor(self.kernel.value)  # to gather from the variable itself is no plain computation
        weights = tf.gather(kernel, tf.maximum(recalled.kind, 0))
        logits = tf.where(recalled.frame > 0, weights[..., :1], weights[..., 1:])
        return tf.where((recalled.kind >= 0)[..., None], logits, 0.0)

    def recall(self, frames: Tensor, state: Tensor, mask: Tensor | None = None) -> tuple[Recalled, Tensor]:
        """What is recalled behind each of the frames `(batch, time, keys)`, and the state; arguments as of `call`."""
        rows, steps = tf.shape(frames)[0], frames.shape[1]
        lengths = (
            tf.fill([rows], tf.shape(frames)[1]) if mask is None else tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        )
        frames = tf.cast(frames, tf.float32)
        if not steps or steps > MOST_PARTS * PART:
            return self._recall_any(frames, state, lengths)
        parts = []
        for first in range(0, steps, PART):
            chunk = frames[:, first : first + PART]
            recalled, state = self._recall_part(chunk, state, tf.clip_by_value(lengths - first, 0, chunk.shape[1]))
            parts.append(recalled)
        whole = [tf.concat(own, axis=1) for own in zip(*parts, strict=True)]
        return Recalled(*whole), state

    def _recall_any(self, frames: Tensor, state: Tensor, lengths: Tensor) -> tuple[Recalled, Tensor]:
        """The same of any number of frames."""
        rows, steps = tf.shape(frames)[0], tf.shape(frames)[1]
        parts = -(-steps // PART)
        padded = tf.pad(frames, [[0, 0], [0, parts * PART - steps], [0, 0]])
        shapes = ((tf.float32, (frames.shape[0], PART, self.keys)), (tf.int32, (frames.shape[0], PART)))
        arrays = [tf.TensorArray(kind, parts, element_shape=shape) for kind, shape in shapes]

        def body(part: Tensor, state: Tensor, *arrays: tf.TensorArray) -> tuple[Tensor | tf.TensorArray, ...]:
            chunk = tf.ensure_shape(padded[:, part * PART : (part + 1) * PART], shapes[0][1])
            recalled, after = self._recall_part(chunk, state, tf.clip_by_value(lengths - part * PART, 0, PART))
            written = (array.write(part, own) for array, own in zip(arrays, recalled, strict=True))
            return part + 1, tf.ensure_shape(after, state.shape), *written

        start = (tf.constant(0), tf.convert_to_tensor(state), *arrays)
        _, after, *found = tf.while_loop(lambda part, *_: part < parts, body, start, parallel_iterations=1)
        following, kinds = tf.transpose(found[0].stack(), [1, 0, 2, 3]), tf.transpose(found[1].stack(), [1, 0, 2])
        shape = [rows, parts * PART]
        recalled = Recalled(tf.reshape(following, [*shape, self.keys])[:, :steps], tf.reshape(kinds, shape)[:, :steps])
        recalled.frame.set_shape(frames.shape)
        recalled.kind.set_shape(frames.shape[:2])
        return recalled, after

    def _recall_part(self, frames: Tensor, state: Tensor, lengths: Tensor) -> tuple[Recalled, Tensor]:
        """The same of a few frames `(batch, width, keys)`, of which each row has so many."""
        width, before = frames.shape[1], state[:, :, self.numbers]
        numbers = tf.concat([state[:, :, : self.numbers], self.numbers_of(frames)], axis=1)
        # places[time, n]: where the frame stands that was n steps before the frame of that time.
        times, ago = tf.range(width), tf.range(self.steps)
        places = self.steps + times[:, None] - ago
        names = _names(numbers)
        now = names[:, self.steps :, None]
        earlier = tf.gather(names, places, axis=1)
        same = tf.equal(earlier, now) & tf.not_equal(earlier, 0) & (ago > 0)
        runs = _runs(same, before)
        longest, back = tf.reduce_max(runs, axis=2), tf.argmax(runs, axis=2, output_type=tf.int32)
        kind = tf.searchsorted(tf.constant(BOUNDS, tf.float32), tf.reshape(longest, [-1]), side="right") - 1
        kind = tf.reshape(kind, tf.shape(longest))
        following = self.keys_of(tf.gather(numbers, self.steps + times - tf.maximum(back - 1, 0), batch_dims=1))
        last = tf.gather(tf.concat([before[:, None], runs], axis=1), lengths, batch_dims=1)
        kept = tf.gather(numbers, lengths[:, None] + ago, batch_dims=1)
        recalled = Recalled(tf.where((kind >= 0)[..., None], following, 0.0), kind)
        return recalled, tf.concat([kept, last[..., None]], axis=-1)

    def numbers_of(self, frames: Tensor) -> Tensor:
        """Keys `(..., keys)` as numbers `(..., numbers)`, the first one higher."""
        flat = tf.reshape(tf.cast(frames, tf.float32), [-1, self.keys])
        padded = tf.pad(flat, [[0, 0], [0, self.numbers * BITS - self.keys]])
        powers = tf.constant([float(2**bit) for bit in range(BITS)])
        numbers = tf.reduce_sum(tf.reshape(padded, [-1, self.numbers, BITS]) * powers, axis=-1)
        shape = tf.concat([tf.shape(frames)[:-1], [self.numbers]], axis=0)
        return tf.reshape(numbers + tf.one_hot(0, self.numbers), shape)

    def keys_of(self, numbers: Tensor) -> Tensor:
        """Numbers `(..., numbers)` as keys `(..., keys)`, 0 or 1."""
        whole = tf.cast(numbers - tf.one_hot(0, self.numbers), tf.int32)[..., None]
        bits = whole // tf.constant([2**bit for bit in range(BITS)]) % 2
        shape = tf.concat([tf.shape(numbers)[:-1], [self.numbers * BITS]], axis=0)
        return tf.cast(tf.reshape(bits, shape)[..., : self.keys], tf.float32)

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


def _names(numbers: Tensor) -> Tensor:
    """One number for those of each frame `(..., numbers)`, int64 `(...)`: the same for the same, 0 where there is none.

    Of 64 bits, so that two frames of 88 keys hardly ever share one.
    """
    factors = tf.constant([0x9E3779B97F4A7C15 * (2 * place + 1) % 2**63 | 1 for place in range(numbers.shape[-1])])
    return tf.reduce_sum(tf.cast(numbers, tf.int64) * factors, axis=-1)


def _runs(same: Tensor, before: Tensor) -> Tensor:
    """For how many steps something has held, up to each time, float32 `(batch, time, places)`.

    Args:
        same: whether it holds, bool `(batch, time, places)`.
        before: for how many steps it held before the first `(batch, places)`.
    """
    width = same.shape[1]
    times = tf.range(width)[:, None]
    # The last time at which it did not hold: the largest of all up to each, found in steps that double.
    last, reach = tf.where(same, -1, times), 1
    while reach < width:
        last = tf.maximum(last, tf.pad(last[:, :-reach], [[0, 0], [reach, 0], [0, 0]], constant_values=-1))
        reach *= 2
    held = tf.cast(times - last, tf.float32)
    return tf.where(last < 0, held + before[:, None], held)
