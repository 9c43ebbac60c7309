"""What can be told without the order of the frames: the commonest class, one frame, the mean of all frames."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.layers.dropout import Dropout
from rnnapps.tasks.video_recognition.classification import classification_metrics
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

__all__ = ["STILL_STEPS", "still_baselines"]

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


def still_baselines(
    config: VideoModelConfig,
    video_format: VideoFormat,
    videos: VideoSplits,
    held_out: Sequence[Video],
    *,
    data: VideoDataConfig,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Figures on held-out videos of the majority class, and of the encoder trained on one picture of each video.

    The encoder has the same size as the model's and a short training of its own: its pictures are the middle frames,
    or the mean of all frames, of the same training videos, moved, turned and brightened in the same way.
    """
    train, test = (numbers_of(part, video_format.labels) for part in (videos.train, held_out))
    metrics = {
        "majority class": classification_metrics(
            _majority(train, len(test), len(video_format.labels)), test, item="video"
        )
    }
    for name, picture in (("single middle frame", _middle), ("mean frame", _mean)):
        pictures = [np.stack([picture(video) for video in part]) for part in (videos.train, held_out)]
        network = _still_network(config, video_format)
        _train(network, pictures[0], train, video_format=video_format, data=data, seed=seed)
        metrics[name] = classification_metrics(_probabilities(network, pictures[1]), test, item="video")
    return metrics


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
