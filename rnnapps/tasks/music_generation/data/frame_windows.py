"""Endless training batches of windows of piano rolls: a pure function of (seed, step)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor

__all__ = ["frame_batches"]


class _Library(NamedTuple):
    """All pieces one behind the other, a frame of silence before each.

    Attributes:
        frames: uint8 tensor `(frames, margin + keys + margin)`.
        firsts: int64 `(pieces,)`, where the silence before each piece lies.
        lengths: int64 `(pieces,)`, frames of each without that one.
        shares: float64 `(pieces,)`, share of the windows that are drawn from a piece or one before it.
        rooms: int64 `(pieces, 2)`, lowest and highest transposition.
        margin: keys that a transposition may move a piece by, either way.
    """

    frames: Tensor
    firsts: Array
    lengths: Array
    shares: Array
    rooms: Array
    margin: int


def frame_batches(
    rolls: Sequence[Array],
    rooms: Sequence[tuple[int, int]],
    *,
    batch_size: int,
    window_steps: int,
    seed: int,
    start_step: int,
) -> tf.data.Dataset:
    """Windows of random pieces from random places, transposed at random; pieces shorter than a window are padded.

    A frame of silence precedes each piece, so that its first frame is predicted too. A piece is drawn in proportion
    to the windows it fills.

    Args:
        rolls: frames of each piece, uint8 `(steps, keys)`.
        rooms: lowest and highest transposition of each piece, in keys.
        batch_size: rows of a batch.
        window_steps: time steps of a row.
        seed: chooses pieces, places and transpositions.
        start_step: step of the first batch, at least 0.

    Returns:
        Dataset of {"inputs": {"frames", "next_frames": float32 (batch, time, keys)}, "targets": the next frames,
        "valid": bool (batch, time), "reset": True}, with static shapes.
    """
    library = _library(rolls, rooms, window_steps=window_steps)
    with tf.device("CPU"):
        steps = tf.data.Dataset.counter(start=start_step)

    def batch(step: Tensor) -> dict[str, Tensor | dict[str, Tensor]]:
        key = tf.stack([tf.constant(seed, tf.int64), step])
        numbers = tf.random.stateless_uniform((3, batch_size), key, alg="philox")
        window, valid = _windows(library, numbers, window_steps)
        targets = window[:, 1:]
        inputs = {"frames": window[:, :-1], "next_frames": targets}
        return {"inputs": inputs, "targets": targets, "valid": valid, "reset": tf.constant(True)}

    return steps.map(batch, num_parallel_calls=1).prefetch(4)


def _library(rolls: Sequence[Array], rooms: Sequence[tuple[int, int]], *, window_steps: int) -> _Library:
    """Joins the pieces; a window of silence behind the last lets every window be read."""
    keys = rolls[0].shape[1]
    margin = max(max(-low, high) for low, high in rooms)
    silence = np.zeros((1, keys), np.uint8)
    joined = np.concatenate(
        [part for roll in rolls for part in (silence, roll)] + [np.tile(silence, (window_steps, 1))]
    )
    lengths = np.array([len(roll) for roll in rolls], np.int64)
    shares = np.cumsum(np.maximum(1.0, lengths / window_steps))
    with tf.device("CPU"):
        stored = tf.constant(np.pad(joined, ((0, 0), (margin, margin))))
    return _Library(
        frames=stored,
        firsts=np.concatenate([[0], np.cumsum(lengths + 1)[:-1]]),
        lengths=lengths,
        shares=shares / shares[-1],
        rooms=np.array(rooms, np.int64),
        margin=margin,
    )


def _windows(library: _Library, numbers: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Windows of one frame more than `steps`, and which of their frames but the first are a piece's.

    Args:
        library: the pieces.
        numbers: uniform, float32 `(3, batch)`: they choose pieces, places and transpositions.
        steps: time steps of a window.

    Returns:
        float32 `(batch, steps + 1, keys)`, silent behind a piece's end, and bool `(batch, steps)`.
    """
    batch_size, keys = numbers.shape[1], library.frames.shape[1] - 2 * library.margin
    piece = tf.searchsorted(tf.constant(library.shares, tf.float32), numbers[0], side="right")
    piece = tf.minimum(piece, len(library.lengths) - 1)
    length = tf.gather(library.lengths, piece)
    # Half a window beyond either end: first and last frames are then met about as often as those between.
    start = tf.cast(numbers[1] * tf.cast(length, tf.float32), tf.int64) - steps // 2
    start = tf.clip_by_value(start, 0, tf.maximum(length - steps, 0))
    low, high = (tf.gather(tf.constant(library.rooms[:, side], tf.int64), piece) for side in (0, 1))
    shift = low + tf.cast(numbers[2] * tf.cast(high - low + 1, tf.float32), tf.int64)
    rows = tf.gather(library.firsts, piece)[:, None] + start[:, None] + tf.range(steps + 1, dtype=tf.int64)
    # Reading the columns further left moves the keys up; the margins are as wide as the furthest transposition.
    columns = library.margin - shift[:, None] + tf.range(keys, dtype=tf.int64)
    window = tf.gather(tf.gather(library.frames, rows), columns, axis=2, batch_dims=1)
    valid = start[:, None] + tf.range(steps, dtype=tf.int64) < length[:, None]
    known = tf.concat([tf.ones((batch_size, 1), tf.bool), valid], axis=1)
    window = tf.where(known[..., None], tf.cast(window, tf.float32), 0.0)
    return tf.ensure_shape(window, (batch_size, steps + 1, keys)), valid
