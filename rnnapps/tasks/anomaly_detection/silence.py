"""Sensors that fall silent: since when, whether that is unusual, and until when they are not yet to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.kernels.loop import length, loop
from rnnapps.types import Array, Tensor, Tensors

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
    longest = tf.constant(np.array(usual, np.int32))

    def step(row: Tensor, states: Tensors, now: Tensors) -> tuple[Tensors, Tensors]:
        absent, unsettled = states
        here = now[0] > 0
        absent = tf.where(here, 0, absent + 1)
        unusual = absent > longest
        out = unusual | (unsettled > 0)
        waiting = tf.where(unusual, tf.maximum(unsettled, tf.minimum(absent, settling_steps)), unsettled)
        unsettled = tf.where(here, tf.maximum(unsettled - 1, 0), waiting)
        after = [absent, unsettled]
        kept = after if inside is None else [tf.where(now[1], new, old) for new, old in zip(after, states, strict=True)]
        return kept, [*after, out]

    rows = [tf.transpose(present, [1, 0, 2])]
    counted = [] if inside is None else [tf.transpose(inside)[..., None]]
    final, _, (absent, unsettled, out) = loop(step, length(rows[0]), list(before), rows + counted, backwards=False)
    swapped = [tf.transpose(yielded, [1, 0, 2]) for yielded in (absent, unsettled, out)]
    return Silence(swapped[0], swapped[1]), swapped[2], Silence(*final)


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
