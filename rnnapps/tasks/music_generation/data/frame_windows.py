"""Endless training batches of windows of piano rolls: a pure function of (seed, step)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["frame_batches"]

Array = np.ndarray[Any, Any]


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
    keys = rolls[0].shape[1]
    margin = max(max(-low, high) for low, high in rooms)
    silence = np.zeros((1, keys), np.uint8)
    joined = np.concatenate(
        [part for roll in rolls for part in (silence, roll)] + [np.tile(silence, (window_steps, 1))]
    )
    lengths = np.array([len(roll) for roll in rolls], np.int64)
    firsts = np.concatenate([[0], np.cumsum(lengths + 1)[:-1]])
    shares = np.cumsum(np.maximum(1.0, lengths / window_steps))
    with tf.device("CPU"):
        stored = tf.constant(np.pad(joined, ((0, 0), (margin, margin))))
        steps = tf.data.Dataset.counter(start=start_step)

    def batch(step: Any) -> dict[str, Any]:
        numbers = tf.random.stateless_uniform(
            (3, batch_size), tf.stack([tf.constant(seed, tf.int64), step]), alg="philox"
        )
        piece = tf.searchsorted(tf.constant(shares / shares[-1], tf.float32), numbers[0], side="right")
        piece = tf.minimum(piece, len(rolls) - 1)
        length = tf.gather(lengths, piece)
        # Half a window beyond either end: first and last frames are then met about as often as those between.
        place = tf.cast(numbers[1] * tf.cast(length, tf.float32), tf.int64) - window_steps // 2
        place = tf.clip_by_value(place, 0, tf.maximum(length - window_steps, 0))
        low, high = (tf.gather(tf.constant([room[side] for room in rooms], tf.int64), piece) for side in (0, 1))
        shift = low + tf.cast(numbers[2] * tf.cast(high - low + 1, tf.float32), tf.int64)
        rows = tf.gather(firsts, piece)[:, None] + place[:, None] + tf.range(window_steps + 1, dtype=tf.int64)
        columns = margin - shift[:, None] + tf.range(keys, dtype=tf.int64)
        window = tf.gather(tf.gather(stored, rows), columns, axis=2, batch_dims=1)
        valid = place[:, None] + tf.range(window_steps, dtype=tf.int64) < length[:, None]
        known = tf.concat([tf.ones((batch_size, 1), tf.bool), valid], axis=1)
        window = tf.where(known[..., None], tf.cast(window, tf.float32), 0.0)
        window = tf.ensure_shape(window, (batch_size, window_steps + 1, keys))
        targets = window[:, 1:]
        inputs = {"frames": window[:, :-1], "next_frames": targets}
        return {"inputs": inputs, "targets": targets, "valid": valid, "reset": tf.constant(True)}

    return steps.map(batch, num_parallel_calls=1).prefetch(4)
