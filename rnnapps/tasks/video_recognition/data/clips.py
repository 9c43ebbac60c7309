"""Clips of videos: altered at random for training, a pure function of (seed, step); cut side by side for scoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.video import Video
from rnnapps.types import Array, Tensor

__all__ = ["MOST_CLIPS", "alter", "clip_batches", "clip_count", "clip_rows", "scored_clips"]

MOST_CLIPS = 10
"""Most clips that a video is cut into for scoring."""

SHORTEST = 2
NUMBERS = 13
UNEVENNESS, TRIMMED, STRETCH = 0.8, 0.25, 0.45
"""Of what `time_warp` allows: bend of time, what is cut off at either end; of `zoom`, how unlike the sides become."""


def clip_batches(
    videos: Sequence[Video],
    classes: Sequence[int],
    mirrored: Sequence[int],
    config: VideoDataConfig,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
) -> tf.data.Dataset:
    """Endless training batches from step `start_step` on; a batch depends on (seed, step) only.

    Every video occurs once before any occurs again. Only the frames that a batch needs are read from the cache.

    Args:
        videos: the training videos.
        classes: class of each video.
        mirrored: for each class that of its mirrored clips, -1 where they must not be mirrored.
        config: length of the clips, and how they are altered.
        batch_size: clips of a batch.
        seed: of everything random.
        start_step: step of the first batch, at least 0.

    Returns:
        Dataset of {"inputs": {"frames": uint8 (batch, time, size, size, channels), "lengths": int32 (batch,)},
        "targets": int32 (batch,)}, with static shapes; behind its length a clip stands still.
    """
    time, size, channels = config.clip_frames, config.size, config.channels
    lengths = tf.constant([video.length for video in videos], tf.int32)
    numbers, mirrors = tf.constant(list(classes), tf.int32), tf.constant(list(mirrored), tf.int32)

    def read(chosen: Array, rows: Array) -> Array:
        return np.stack([videos[number].rows(row) for number, row in zip(chosen, rows, strict=True)])

    def batch(step: Tensor) -> dict[str, Tensor | dict[str, Tensor]]:
        key = tf.stack([tf.constant(seed, tf.int64), step])
        chosen = _chosen(step, len(videos), batch_size, seed)
        u = tf.random.stateless_uniform((batch_size, NUMBERS), key, minval=-1.0, maxval=1.0, alg="philox")
        rows, used = _warped(tf.gather(lengths, chosen), u, time, config.time_warp)
        frames = tf.numpy_function(read, (chosen, rows), tf.uint8, stateful=False)
        frames = tf.ensure_shape(frames, (batch_size, time, size, size, channels))
        target = tf.gather(numbers, chosen)
        mirror = tf.gather(mirrors, target)
        flip = (mirror >= 0) & (u[:, 12] > 0)
        frames = alter(frames, u[:, 4:12], flip, config)
        return {"inputs": {"frames": frames, "lengths": used}, "targets": tf.where(flip, mirror, target)}

    with tf.device("CPU"):
        steps = tf.data.Dataset.counter(start=start_step)
    return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(4)


def _chosen(step: Tensor, videos: int, batch_size: int, seed: int) -> Tensor:
    """The numbers of the videos of a batch: an endless sequence of shuffled rounds, cut into batches."""
    position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    first = position[0] // videos  # the round in which the batch begins; only the rounds it touches are shuffled
    rounds = (batch_size - 1) // videos + 2
    orders = [
        tf.random.experimental.stateless_shuffle(
            tf.range(videos), tf.stack([tf.constant(seed, tf.int64), first + ahead])
        )
        for ahead in range(rounds)
    ]
    return tf.gather(tf.concat(orders, axis=0), position - first * videos)


def _warped(lengths: Tensor, u: Tensor, time: int, warp: float) -> tuple[Tensor, Tensor]:
    """Which frames of each video a clip shows, int32 `(batch, time)`, and how many of them before it stands still."""
    whole = tf.cast(lengths, tf.float32)
    speed = tf.exp(u[:, 0] * warp)
    trimmed = 1 - TRIMMED * warp * tf.abs(u[:, 1])
    used = tf.clip_by_value(tf.cast(tf.round(whole * trimmed / speed), tf.int32), min(SHORTEST, time), time)
    steps = tf.cast(used, tf.float32) - 1
    reach = tf.minimum(steps * speed, (whole - 1) * trimmed)
    start = (whole - 1 - reach) * (u[:, 2] + 1) / 2
    share = tf.minimum(tf.cast(tf.range(time), tf.float32) / tf.maximum(steps, 1)[:, None], 1.0)
    # A parabola that is 0 at both ends bends time in between; it stays monotonous, since its slope is at most 0.8.
    share += UNEVENNESS * warp * u[:, 3, None] * share * (1 - share)
    rows = tf.cast(tf.floor(start[:, None] + reach[:, None] * share + 0.5), tf.int32)
    return tf.clip_by_value(rows, 0, lengths[:, None] - 1), used


def alter(frames: Tensor, u: Tensor, flip: Tensor, config: VideoDataConfig) -> Tensor:
    """Moves, turns, enlarges, mirrors and brightens clips, each in one way for all its frames.

    Args:
        frames: uint8 `(batch, time, size, size, channels)`.
        u: random numbers from -1 to 1 `(batch, 8)`.
        flip: bool `(batch,)`, which clips are mirrored.
        config: how much of each.

    Returns:
        uint8 of the same shape; what comes in from outside the frame is black.
    """
    batch, time, size, _, channels = frames.shape
    # Frames become channels: one transform for all frames of a clip, and one call for all clips.
    planes = tf.reshape(tf.transpose(frames, [0, 2, 3, 1, 4]), (batch, size, size, time * channels))
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(planes, tf.float32),
        transforms=_transforms(u, flip, size, config),
        output_shape=(size, size),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    bright = tf.exp(u[:, 5] * config.brightness)[:, None, None, None]
    moved = tf.cast(tf.clip_by_value(tf.round(moved * bright), 0.0, 255.0), tf.uint8)
    restored = tf.transpose(tf.reshape(moved, (batch, size, size, time, channels)), [0, 3, 1, 2, 4])
    return tf.ensure_shape(restored, frames.shape)


def _transforms(u: Tensor, flip: Tensor, size: int, config: VideoDataConfig) -> Tensor:
    """Where each pixel comes from: rows of eight numbers as `ImageProjectiveTransformV3` has them."""
    angle = u[:, 0] * np.deg2rad(config.rotate_degrees)
    zoom, unlike = tf.exp(u[:, 1] * config.zoom), tf.exp(u[:, 4] * config.zoom * STRETCH)
    mirror = tf.where(flip, -1.0, 1.0)
    across, down = tf.cos(angle) * zoom * unlike, tf.cos(angle) * zoom / unlike
    slant = tf.sin(angle) * zoom
    middle = (size - 1) / 2
    zero = tf.zeros_like(angle)
    rows = [mirror * across, -mirror * slant, None, slant, down, None, zero, zero]
    # The middle of the frame stays where it is, but for the shift: what rotation and zoom move it by is taken back.
    rows[2] = middle - rows[0] * middle - rows[1] * middle + u[:, 2] * config.shift * size
    rows[5] = middle - rows[3] * middle - rows[4] * middle + u[:, 3] * config.shift * size
    return tf.stack(rows, axis=1)


def clip_count(length: int | Tensor, time: int) -> int | Tensor:
    """Number of clips that a video of some frames is cut into for scoring; integers or integer tensors."""
    return (length + time - 1) // time


def clip_rows(length: int, time: int) -> Array:
    """First frame of each clip of a video, evenly spaced: int64 `(clips,)`."""
    count = min(max(clip_count(length, time), 1), MOST_CLIPS)
    rows: Array = np.arange(count) * max(length - time, 0) // max(count - 1, 1)
    return rows


def scored_clips(videos: Sequence[Video], time: int, batch_size: int) -> Iterator[tuple[Array, Array, Array]]:
    """All clips of all videos, in batches of one shape.

    Yields:
        Frames uint8 `(batch, time, size, size, channels)`, their lengths int32 `(batch,)`, and the number of the video
        of each `(batch,)`, -1 where the last batch is not full.
    """
    wanted = [(number, int(first)) for number, video in enumerate(videos) for first in clip_rows(video.length, time)]
    for begin in range(0, len(wanted), batch_size):
        group = wanted[begin : begin + batch_size]
        clips = [
            videos[number].rows(np.arange(first, min(first + time, videos[number].length))) for number, first in group
        ]
        frames = np.zeros((batch_size, time, *clips[0].shape[1:]), np.uint8)
        lengths, owners = np.zeros(batch_size, np.int32), np.full(batch_size, -1)
        for row, (clip, (number, _)) in enumerate(zip(clips, group, strict=True)):
            frames[row, : len(clip)], lengths[row], owners[row] = clip, len(clip), number
        yield frames, lengths, owners
