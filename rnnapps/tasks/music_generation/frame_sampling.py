"""Sampling frames of a piano roll, in graph."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import uniforms
from rnnapps.tasks.music_generation.frame_network import first_states, frame_step, key_distribution, read_frames
from rnnapps.tasks.music_generation.key_drawing import draw_frame
from rnnapps.types import Array, Tensor, Tensors

__all__ = ["begin_frames", "continue_frames", "last_frames", "sample_frames"]


def begin_frames(network: keras.Model, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensors]:
    """Reads primers.

    Args:
        network: a frame network.
        frames: `(batch, time, keys)`.
        lengths: int32 `(batch,)`, frames of each primer; 0 for none.

    Returns:
        The context of the next frame's distribution `(batch, size)`, and the states.
    """
    frames = tf.pad(tf.cast(frames, tf.float32), [[0, 0], [1, 0], [0, 0]])  # a piece begins after silence
    contexts, states = read_frames(network, frames, lengths + 1, first_states(network, tf.shape(frames)[0]))
    return tf.gather(contexts, lengths, batch_dims=1), states


def last_frames(frames: Tensor, lengths: Tensor) -> Tensor:
    """The last of each row's frames `(batch, time, keys)`, float32 `(batch, keys)`; silence for a length of 0."""
    frames = tf.pad(tf.cast(frames, tf.float32), [[0, 0], [1, 0], [0, 0]])
    return tf.gather(frames, lengths, batch_dims=1)


def sample_frames(
    network: keras.Model, context: Tensor, rules: Rules, *, before: Tensor, known: Array, position: Tensor | int
) -> Tensor:
    """Draws one frame for each row.

    Args:
        network: a frame network.
        context: `(batch, size)`.
        rules: temperature, seed and top_p, which act as `draw_frame` says.
        before: the frame before, float32 `(batch, keys)`.
        known: bool `(keys,)`, the keys that may be struck: beyond those of the training pieces, it has learned nothing.
        position: int32 scalar or `(batch,)`: number of frames that were drawn before with this seed.

    Returns:
        float32 `(batch, keys)`.
    """
    numbers = _numbers(rules.seed, position, 1, key_distribution(network).keys)[:, 0]
    return draw_frame(key_distribution(network).given(context), numbers, rules, before, known=known)


def _numbers(seed: Tensor, position: Tensor | int, steps: Tensor | int, keys: int) -> Tensor:
    """Uniform numbers `(batch, steps, keys)`: each key of each frame has its own place in the stream of a row's seed.

    Args:
        seed: `(batch,)`.
        position: int32 scalar or `(batch,)`, the first frame's.
        steps: int scalar, frames.
        keys: of each frame.
    """
    numbers = uniforms(seed, position * keys, steps * keys)
    return tf.reshape(tf.transpose(numbers), [tf.shape(seed)[0], steps, keys])


def continue_frames(
    network: keras.Model,
    context: Tensor,
    states: Sequence[Tensor],
    rules: Rules,
    *,
    before: Tensor,
    known: Array,
    steps: Tensor | int,
    position: Tensor | int = 0,
) -> tuple[Tensor, Tensor, Tensors]:
    """Draws frames, each given all before it.

    Any division into chunks draws the same frames as one chunk.

    Args:
        network: a frame network.
        context: from `begin_frames` or the chunk before.
        states: the same.
        rules: how to sample.
        before: the last frame of the primer or the chunk before, float32 `(batch, keys)`.
        known: bool `(keys,)`, the keys that may be struck.
        steps: int32 scalar, number of frames.
        position: frames drawn in chunks before.

    Returns:
        Frames float32 `(batch, steps, keys)`, and context and states after them.
    """
    step, distribution = frame_step(network), key_distribution(network)
    keys, between = distribution.keys, distribution.between_keys()
    # All before the loop: a generator's start costs more than its numbers.
    numbers = _numbers(rules.seed, position, steps, keys)
    written = tf.TensorArray(tf.float32, size=steps, element_shape=[context.shape[0], keys])

    def body(
        now: Tensor, frame: Tensor, after: tuple[Tensor, Tensors], written: tf.TensorArray
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensors], tf.TensorArray]:
        frame = draw_frame(distribution.given(after[0], between), numbers[:, now], rules, frame, known=known)
        following = step(frame, after[1])
        tf.nest.map_structure(lambda new, old: new.set_shape(old.shape), following, after)
        return now + 1, frame, following, written.write(now, frame)

    begun = tf.ensure_shape(before, (context.shape[0], keys))
    start = (tf.constant(0), begun, (context, list(states)), written)
    _, _, (after, final), written = tf.while_loop(lambda now, *_: now < steps, body, start, parallel_iterations=1)
    return tf.transpose(written.stack(), [1, 0, 2]), after, final
