"""Endless training batches cut from one long sequence of ids: a pure function of (seed, step)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rnnapps.data.text.stored_ids import StoredIds
from rnnapps.errors import DataError
from rnnapps.types import Array, Nest, Tensor

__all__ = ["batches", "steps_per_epoch"]

Starts = Callable[[Tensor], tuple[Tensor, Tensor]]
"""A step -> (first positions int64 `(batch,)`, whether the rows start afresh, a bool scalar)."""


def steps_per_epoch(tokens: int, *, batch_size: int, window_steps: int, token: str = "token") -> int:
    """Number of batches after which rows that read contiguous stretches come to their end.

    A margin of one window is left where the sequence allows, so that every epoch can start at its own offset.

    Args:
        tokens: length of the sequence.
        batch_size: rows of a batch.
        window_steps: time steps of a row.
        token: what an error calls the tokens: "character", "note"...

    Raises:
        DataError: the sequence is too short for a single batch.
    """
    per_step = batch_size * window_steps
    if tokens < per_step + 1:
        raise DataError(
            "training data",
            f"has {tokens:,} {token}s, but {batch_size} sequences of {window_steps} steps need {per_step + 1:,}",
            "use more data, lower --training.batch_size or --training.window_steps, "
            "or set --training.carry_state false",
        )
    return max((tokens - 1 - window_steps) // per_step, 1)


def batches(
    ids: Array | StoredIds,
    *,
    batch_size: int,
    window_steps: int,
    seed: int,
    start_step: int,
    carry_state: bool,
    token: str = "token",
) -> tf.data.Dataset:
    """Endless batches from step `start_step` on; a batch depends on (seed, step) only.

    With `carry_state` each row of the batch reads its own contiguous stretch window by window (truncated
    backpropagation through time); when the stretches end, `reset` is True and the next epoch starts, at a new seeded
    offset. Without it every row is a window from a random place and `reset` is always True.

    Args:
        ids: integers `(tokens,)`, kept in memory once, in 16 bits where that suffices; or on disk.
        batch_size: rows of a batch.
        window_steps: time steps of a row.
        seed: chooses offsets or windows.
        start_step: step of the first batch, at least 0.
        carry_state: contiguous stretches instead of random windows.
        token: what an error calls the tokens: "character", "note"...

    Returns:
        Dataset of {"inputs": {"tokens": int32 (batch, time)}, "targets": int32 (batch, time), "reset": bool scalar},
        with static shapes; targets are the tokens one step later.

    Raises:
        DataError: the sequence is too short.
    """
    tokens = len(ids)
    if not carry_state and tokens < window_steps + 1:
        problem = f"has {tokens:,} {token}s, but a window of {window_steps} steps needs {window_steps + 1:,}"
        raise DataError("training data", problem, "use more data or lower --training.window_steps")
    if carry_state:
        epoch_steps = steps_per_epoch(tokens, batch_size=batch_size, window_steps=window_steps, token=token)
        starts = _stretch_starts(tokens, epoch_steps, batch_size=batch_size, window_steps=window_steps, seed=seed)
    else:
        starts = _random_starts(tokens, batch_size=batch_size, window_steps=window_steps, seed=seed)
    windows = _windows(ids, window_steps + 1)
    with tf.device("CPU"):
        steps = tf.data.Dataset.counter(start=start_step)

    def batch(step: Tensor) -> dict[str, Nest]:
        first, reset = starts(step)
        window = tf.ensure_shape(windows(first), (batch_size, window_steps + 1))
        return {"inputs": {"tokens": window[:, :-1]}, "targets": window[:, 1:], "reset": reset}

    return steps.map(batch, num_parallel_calls=1).prefetch(4)


def _windows(ids: Array | StoredIds, length: int) -> Callable[[Tensor], Tensor]:
    """Maps first positions `(batch,)` to windows of ids `(batch, length)`, int32."""
    if isinstance(ids, StoredIds):
        stored_ids = ids
        return lambda first: tf.numpy_function(lambda starts: stored_ids.windows(starts, length), [first], tf.int32)
    with tf.device("CPU"):
        stored = tf.constant(ids.astype(np.uint16 if ids.max() <= np.iinfo(np.uint16).max else np.int32, copy=False))
    steps = tf.range(length, dtype=tf.int64)
    return lambda first: tf.cast(tf.gather(stored, first[:, tf.newaxis] + steps), tf.int32)


def _stretch_starts(tokens: int, epoch_steps: int, *, batch_size: int, window_steps: int, seed: int) -> Starts:
    """Maps a step to (first positions (batch,), whether the rows start afresh)."""
    stretch = epoch_steps * window_steps
    # What no stretch uses: by so much, at most, all stretches are moved together, anew in each epoch.
    slack = tokens - 1 - batch_size * stretch
    rows = np.arange(batch_size, dtype=np.int64) * stretch

    def starts(step: Tensor) -> tuple[Tensor, Tensor]:
        epoch, window = step // epoch_steps, step % epoch_steps
        offset = _uniform((), seed, epoch, slack + 1)
        return rows + offset + window * window_steps, tf.equal(window, 0)

    return starts


def _random_starts(tokens: int, *, batch_size: int, window_steps: int, seed: int) -> Starts:
    """Maps a step to (random first positions (batch,), True: rows start afresh)."""

    def starts(step: Tensor) -> tuple[Tensor, Tensor]:
        return _uniform((batch_size,), seed, step, tokens - window_steps), tf.constant(True)

    return starts


def _uniform(shape: tuple[int, ...], seed: int, counter: Tensor, bound: int) -> Tensor:
    """Integers from 0 to below `bound`, a pure function of (seed, counter)."""
    key = tf.stack([tf.constant(seed, tf.int64), counter])
    return tf.random.stateless_uniform(shape, key, minval=0, maxval=bound, dtype=tf.int64, alg="philox")
