"""Time between the steps of a sequence, as a layer hands it to its cell."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["since_last"]


def since_last(elapsed: Tensor, mask: Tensor | None, *, reverse: bool) -> Tensor:
    """Time since the valid step that ran before.

    Args:
        elapsed: time since the step before in the order of the sequence `(batch, time)`.
        mask: bool `(batch, time)`, True where a step is valid, or None. The time of steps that are left out is added to
            that of the valid step that runs next.
        reverse: the last step runs first: each step follows the one behind it.

    Returns:
        `(batch, time)`; what stands at masked steps means nothing.
    """
    if reverse:
        # Between two steps lies the same time in either direction; nothing was before the last.
        elapsed = tf.concat([elapsed[:, 1:], tf.zeros_like(elapsed[:, :1])], axis=1)
    if mask is None:
        return elapsed
    running, valid = (tf.reverse(part, axis=[1]) if reverse else part for part in (elapsed, mask))
    # In double precision: sums over a long sequence of seconds must keep the differences between its steps.
    skipped = tf.cumsum(tf.where(valid, tf.zeros([], tf.float64), tf.cast(running, tf.float64)), axis=1)
    # Nothing is added at a valid step, so what was skipped before it is the sum there, less that at the last one.
    before = _last_before(skipped, valid)
    total = running + tf.cast(skipped - before, running.dtype)
    return tf.reverse(total, axis=[1]) if reverse else total


def _last_before(sums: Tensor, valid: Tensor) -> Tensor:
    """The sum `(batch, time)` at the last valid step before each step, 0 where there was none."""
    counts = tf.cumsum(tf.cast(valid, tf.int32), axis=1, exclusive=True)
    # Of as many valid steps as there were before a step, the last is the first with that number, itself included.
    places = tf.searchsorted(counts + tf.cast(valid, tf.int32), counts)
    return tf.where(counts > 0, tf.gather(sums, places, batch_dims=1), tf.zeros_like(sums))
