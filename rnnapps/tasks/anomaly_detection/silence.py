"""Sensors that fall silent: since when, whether that is unusual, and until when they are not yet to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.tasks.anomaly_detection.prefixes import before_each, last_of, running_max, running_sum
from rnnapps.types import Array, Tensor

__all__ = ["ALL", "Silence", "follow_silence", "longest_gaps", "silent_sensors"]

ALL = "(all)"
"""What stands for all sensors where none of them has a value."""


class Silence(NamedTuple):
    """What is known of each channel's silence.

    Attributes:
        absent: successive rows without a value so far, int32 `(..., channels)`.
        unsettled: rows that the channel needs before it is judged again, int32 `(..., channels)`.
    """

    absent: Tensor
    unsettled: Tensor


def follow_silence(
    present: Tensor,
    before: Silence,
    *,
    usual: Sequence[int],
    settling_steps: int,
    inside: Tensor | None = None,
) -> tuple[Silence, Tensor, Silence]:
    """Follows channels over rows.

    A silence longer than any in the training rows is unusual. After it a channel is unsettled for as many rows as it
    was silent, at most `settling_steps`: a network does not know at once where the channel is now.

    Args:
        present: 1 where there is a value, else 0 `(batch, time, channels)`.
        before: the state before the first row `(batch, channels)`.
        usual: rows of the longest silence of each channel in training.
        settling_steps: most rows that a channel is unsettled.
        inside: bool `(batch, time)`, True where a row counts; the others leave the state as it is. All by default.

    Returns:
        The state after each row `(batch, time, channels)`; where a channel is out, unusually silent or not yet settled,
        bool `(batch, time, channels)`; and the state after the last row.
    """
    counted = tf.ones_like(present[..., :1], tf.bool) if inside is None else inside[..., None]
    here, rows = (present > 0) & counted, running_sum(tf.cast(counted, tf.int32))
    if present.shape[1] == 1:
        absent = (before.absent[:, None] + rows) * tf.cast(~here, tf.int32)
    else:
        # Rows so far, less those up to the last value: that of before this chunk lies so far back as it was absent.
        last = running_max(tf.where(here, rows, tf.int32.min))
        absent = rows - tf.maximum(last, -before.absent[:, None])
    unusual = (absent > tf.constant(np.array(usual, np.int32))) & counted
    # What waits is at least so much as was silent, and each value takes 1 off: u_t = max(u_(t-1) - a_t, b_t), of which
    # the solution is max(u_0, max over s <= t of b_s + A_s) - A_t, with A_t the sum of a up to t.
    taken = running_sum(tf.cast(here, tf.int32))
    most = running_max(tf.where(unusual, tf.minimum(absent, settling_steps), 0) + taken)
    unsettled = tf.maximum(before.unsettled[:, None], most) - taken
    out = unusual | (before_each(before.unsettled, unsettled) > 0)
    after = Silence(last_of(before.absent, absent), last_of(before.unsettled, unsettled))
    return Silence(absent, unsettled), out, after


def longest_gaps(rows: Sequence[Array]) -> tuple[tuple[int, ...], int]:
    """Rows of the longest stretch without a value: of each channel, and of all channels together.

    Args:
        rows: of each series `(rows, channels)`, NaN where missing.
    """
    channels = rows[0].shape[1]
    missing: list[Array] = [np.isnan(own) | np.isinf(own) for own in rows]
    gaps = [max(_longest_run(own[:, channel]) for own in missing) for channel in range(channels)]
    return tuple(gaps), max(_longest_run(np.asarray(own.all(axis=1))) for own in missing)


def silent_sensors(missing: Array, silent: bool, channels: Sequence[str]) -> str:
    """The unusually silent sensors of a row in words: their names, `(all)` when nothing speaks, or nothing.

    Args:
        missing: bool `(channels,)`, True where a channel is silent for unusually long.
        silent: whether all channels together are.
        channels: their names.
    """
    return ALL if silent else "; ".join(name for name, mine in zip(channels, missing.tolist(), strict=True) if mine)


def _longest_run(flags: Array) -> int:
    """Length of the longest stretch of True in `(rows,)`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
