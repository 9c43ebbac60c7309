"""What can be told without the order of the frames: the commonest class, one frame, means over all frames."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.layers.dropout import Dropout
from rnnapps.tasks.video_recognition.data.clips import alter
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig, mirror_images
from rnnapps.tasks.video_recognition.data.video import Video, VideoSplits
from rnnapps.tasks.video_recognition.layers.video_network import pixel_scaling
from rnnapps.tasks.video_recognition.model import frame_encoder
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig
from rnnapps.tasks.video_recognition.objective import cross_entropy
from rnnapps.tasks.video_recognition.scoring import numbers_of
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.training.trainer import TrainingModel
from rnnapps.types import Array, Tensor

__all__ = ["PICTURES", "STILL_STEPS", "still_probabilities"]

STILL_STEPS, STILL_BATCH = 400, 32
TRAINING = TrainingConfig(
    steps=STILL_STEPS,
    batch_size=STILL_BATCH,
    learning_rate=0.002,
    warmup_steps=20,
    optimizer="adamw",
    weight_decay=0.01,
    compile="graph",
)
SCORED_ROWS = 64


def still_probabilities(
    config: VideoModelConfig,
    video_format: VideoFormat,
    videos: VideoSplits,
    held_out: Sequence[Video],
    *,
    data: VideoDataConfig,
    seed: int,
) -> dict[str, Array]:
    """What the majority class, and the encoder trained on one picture of each video, make of held-out videos.

    The encoder has the same size as the model's and a short training of its own: its pictures are the middle frames,
    the mean of all frames, or the mean change from frame to frame, of the same training videos, moved, turned and
    brightened in the same way. Weights and batches come from the seed alone, whatever was random before.

    Returns:
        Name of each -> probabilities of the classes `(videos, classes)`.
    """
    train = numbers_of(videos.train, video_format.labels)
    found = {"majority class": _majority(train, len(held_out), len(video_format.labels))}
    for name, picture in PICTURES.items():
        pictures = [np.stack([picture(video) for video in part]) for part in (videos.train, held_out)]
        keras.utils.set_random_seed(seed)
        network = _still_network(config, video_format)
        _train(network, pictures[0], train, video_format=video_format, data=data, seed=seed)
        found[name] = _probabilities(network, pictures[1])
    return found


def _majority(train: Array, rows: int, classes: int) -> Array:
    """The shares of the classes among the training videos (Laplace's rule), for every row."""
    counts = np.bincount(train, minlength=classes) + 1
    return np.tile(counts / counts.sum(), (rows, 1))


def _middle(video: Video) -> Array:
    """The frame in the middle."""
    picture: Array = video.rows(np.array([video.length // 2]))[0]
    return picture


def _mean(video: Video) -> Array:
    """All frames as one: the mean of each pixel."""
    picture: Array = np.rint(video.rows().mean(axis=0)).astype(np.uint8)
    return picture


def _change(video: Video) -> Array:
    """How much each pixel changes from frame to frame, on average, as bright as a picture can be."""
    frames = video.rows().astype(np.float32)
    change = np.abs(np.diff(frames, axis=0)).mean(axis=0) if len(frames) > 1 else np.zeros_like(frames[0])
    picture: Array = np.rint(change * (255 / max(float(change.max()), 1.0))).astype(np.uint8)
    return picture


PICTURES = {"single middle frame": _middle, "mean frame": _mean, "mean change of frames": _change}
"""What is left of a video without the order of its frames."""


def _still_network(config: VideoModelConfig, video_format: VideoFormat) -> keras.Model:
    """The model's frame encoder with scores of the classes right behind it."""
    frames = keras.Input(video_format.frame_shape, name="frames", dtype="uint8")
    pixels = keras.layers.Rescaling(1.0 if config.encoder != "small" else pixel_scaling(), name="pixels")(frames)
    features = frame_encoder(config, video_format)(pixels)
    logits = keras.layers.Dense(len(video_format.labels), name="logits")(Dropout(config.dropout)(features))
    return keras.Model({"frames": frames}, {"logits": logits}, name="still_network")


def _train(
    network: keras.Model,
    pictures: Array,
    classes: Array,
    *,
    video_format: VideoFormat,
    data: VideoDataConfig,
    seed: int,
) -> None:
    """Trains a network of stills on pictures uint8 `(videos, size, size, channels)` and their classes `(videos,)`."""
    stored, targets = tf.constant(pictures), tf.constant(classes, tf.int32)
    mirrors = tf.constant(mirror_images(data.flip, video_format.labels), tf.int32)

    def batch(step: Tensor) -> dict[str, Tensor | dict[str, Tensor]]:
        key = tf.stack([tf.constant(seed, tf.int64), step])
        u = tf.random.stateless_uniform((STILL_BATCH, 10), key, minval=-1.0, maxval=1.0, alg="philox")
        chosen = tf.minimum(tf.cast((u[:, 8] + 1) / 2 * len(pictures), tf.int32), len(pictures) - 1)
        target = tf.gather(targets, chosen)
        mirror = tf.gather(mirrors, target)
        flip = (mirror >= 0) & (u[:, 9] > 0)
        frames = tf.ensure_shape(tf.gather(stored, chosen), (STILL_BATCH, *video_format.frame_shape))
        altered = alter(frames[:, None], u[:, :8], flip, data)[:, 0]
        return {"inputs": {"frames": altered}, "targets": tf.where(flip, mirror, target)}

    batches = tf.data.Dataset.counter().map(batch, num_parallel_calls=1).prefetch(4)
    loss = cross_entropy(len(video_format.labels), 0.1)
    model = TrainingModel(network, loss, TRAINING, batches.element_spec)
    model.fit(batches, steps_per_epoch=STILL_STEPS, epochs=1, shuffle=False, verbose=0)


def _probabilities(network: keras.Model, pictures: Array) -> Array:
    """Of the classes for each picture, `(pictures, classes)`."""
    groups = [pictures[first : first + SCORED_ROWS] for first in range(0, len(pictures), SCORED_ROWS)]
    logits = [network({"frames": tf.constant(group)}, training=False)["logits"] for group in groups]
    return np.asarray(tf.nn.softmax(tf.concat(logits, axis=0)))
