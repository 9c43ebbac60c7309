"""Sensors that fall silent, in training: a network that has seen them missing judges the others as before."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["hide_sensors"]


def hide_sensors(present: Tensor, key: Tensor, *, share: float) -> Tensor:
    """Draws what a network is not shown of windows.

    In a window that is chosen, each channel is hidden with a probability of its own, u² with u uniform: mostly a few of
    them, now and then all. What is hidden is so over the whole window, or, in half of these windows, over one stretch
    whose ends are uniform.

    Args:
        present: 1 where a value exists, else 0 `(batch, time, channels)`.
        key: int64 `(2,)`; the same key draws the same.
        share: of the windows that are chosen.

    Returns:
        1 where a value exists and is shown, else 0, like `present`.
    """
    batch, time, channels = present.shape
    window = _uniform((batch, 4), key, 1)
    chosen, odds = window[:, :1] < share, tf.square(window[:, 1:2])
    hidden = (_uniform((batch, channels), key, 2) < odds) & chosen
    ends = tf.sort(_uniform((batch, 2), key, 3), axis=1) * tf.cast(time + 1, tf.float32)
    rows = tf.range(time, dtype=tf.float32)[None] + 0.5
    stretch = (rows >= ends[:, :1]) & (rows < ends[:, 1:]) | (window[:, 2:3] < 0.5)
    return present * tf.cast(~(hidden[:, None] & stretch[..., None]), tf.float32)


def _uniform(shape: tuple[int, ...], key: Tensor, salt: int) -> Tensor:
    """Numbers from 0 to 1; another salt draws independent ones."""
    return tf.random.stateless_uniform(shape, key + tf.constant([salt << 32, 0], tf.int64), alg="philox")
