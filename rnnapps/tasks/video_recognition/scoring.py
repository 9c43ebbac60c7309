"""Probabilities of whole videos: those of their clips, averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.errors import DataError
from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.tasks.video_recognition.data.clips import MOST_CLIPS, clip_count, scored_clips
from rnnapps.tasks.video_recognition.data.video import Video
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Array, Tensor

__all__ = ["clip_probabilities", "numbers_of", "video_probabilities", "video_scorer"]

SCORED_ROWS = 16


def video_scorer(network: keras.Model, videos: Sequence[Video], clip_frames: int) -> Callable[[], Array]:
    """A function that gives the probabilities of videos `(videos, classes)` with the weights of that moment."""

    @tf.function(autograph=False)
    def apply(frames: Tensor, lengths: Tensor) -> Tensor:
        return tf.nn.softmax(network({"frames": frames, "lengths": lengths}, training=False)["logits"])

    def score() -> Array:
        sums = np.zeros((len(videos), network.output["logits"].shape[-1]))
        for frames, lengths, owners in scored_clips(videos, clip_frames, SCORED_ROWS):
            probabilities = np.asarray(apply(tf.constant(frames), tf.constant(lengths)), np.float64)
            np.add.at(sums, owners[owners >= 0], probabilities[owners >= 0])
        shares: Array = sums / sums.sum(axis=1, keepdims=True)
        return shares

    return score


def numbers_of(videos: Sequence[Video], labels: Sequence[str]) -> Array:
    """The class of each video, int `(videos,)`; raises DataError for a video of another class."""
    numbers = {label: number for number, label in enumerate(labels)}
    for video in videos:
        if video.label not in numbers:
            problem = f"is of the class {video.label!r}, which the model does not know"
            raise DataError(video.name, problem, f"it knows {', '.join(labels)}; fine-tune it on the others")
    return np.array([numbers[video.label] for video in videos])


def clip_probabilities(network: keras.Model, frames: Tensor, lengths: Tensor, clip_frames: int) -> Tensor:
    """Probabilities of rows of any length, in a graph: the mean over the clips that each row is cut into.

    Args:
        network: what `video_network` returned.
        frames: uint8 `(batch, time, size, size, channels)`.
        lengths: int32 `(batch,)`, valid frames of each row.
        clip_frames: frames of a clip.

    Returns:
        float32 `(batch, classes)`.
    """
    counts = tf.clip_by_value(clip_count(lengths, clip_frames), 1, MOST_CLIPS)
    most = min(clip_count(frames.shape[1], clip_frames), MOST_CLIPS) if in_portable_graph() else tf.reduce_max(counts)
    room = tf.maximum(lengths - clip_frames, 0)
    # Rows with fewer clips than the most repeat their last one, which then weighs nothing.
    number = tf.minimum(tf.range(most)[None], counts[:, None] - 1)
    firsts = number * room[:, None] // tf.maximum(counts - 1, 1)[:, None]
    rows = firsts[..., None] + tf.range(clip_frames)  # (batch, clips, clip frames)
    frames = tf.pad(frames, [[0, 0], [0, 1], [0, 0], [0, 0], [0, 0]])  # so that a row without frames has one to take
    clips = tf.gather(frames, tf.minimum(rows, tf.shape(frames)[1] - 1), batch_dims=1)
    used = tf.tile(tf.minimum(lengths, clip_frames)[:, None], [1, most])
    shape = (-1, clip_frames, *frames.shape[2:])
    logits = network({"frames": tf.reshape(clips, shape), "lengths": tf.reshape(used, [-1])}, training=False)["logits"]
    probabilities = tf.reshape(tf.nn.softmax(logits), (tf.shape(frames)[0], most, logits.shape[-1]))
    weights = tf.sequence_mask(counts, most, tf.float32) / tf.cast(counts, tf.float32)[:, None]
    return tf.reduce_sum(probabilities * weights[..., None], axis=1)


def video_probabilities(network: keras.Model, video_format: VideoFormat, frames: Array) -> Array:
    """Probabilities of one decoded video uint8 `(frames, size, size, channels)`: `(classes,)`."""
    lengths = tf.constant([len(frames)])
    probabilities = clip_probabilities(network, tf.constant(frames[None]), lengths, video_format.clip_frames)
    return np.asarray(probabilities[0])
