"""Training a video model: batches, loss and validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.tasks.video_recognition.classification import classification_metrics
from rnnapps.tasks.video_recognition.data.clips import clip_batches
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig, mirror_images
from rnnapps.tasks.video_recognition.data.video import VideoSplits
from rnnapps.tasks.video_recognition.scoring import numbers_of, video_scorer
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import NamedTensors, Tensor

__all__ = ["cross_entropy", "video_objective"]


def video_objective(
    network: keras.Model,
    video_format: VideoFormat,
    videos: VideoSplits,
    *,
    data: VideoDataConfig,
    training: TrainingConfig,
    label_smoothing: float,
    seed: int,
) -> Objective:
    """The objective of `rnnapps.training.loop.train`.

    Raises:
        ConfigError: `data.flip` names a class that does not exist.
    """
    classes = numbers_of(videos.train, video_format.labels).tolist()
    mirrored = mirror_images(data.flip, video_format.labels)

    def batches_from(step: int) -> tf.data.Dataset:
        shape = {"batch_size": training.batch_size, "seed": seed, "start_step": step}
        return clip_batches(videos.train, classes, mirrored, data, **shape)

    score = video_scorer(network, videos.validation, video_format.clip_frames)
    targets = numbers_of(videos.validation, video_format.labels)

    def validate() -> dict[str, float]:
        metrics = classification_metrics(score(), targets, item="video")
        return {f"validation_{name}": value for name, value in metrics.items()}

    return Objective(
        loss=cross_entropy(len(video_format.labels), label_smoothing),
        batches=batches_from,
        validate=validate,
        metric="validation_nats_per_video",
        loss_unit="nats_per_video",
        time_step="frame",
        sequences=len(videos.train),
    )


def cross_entropy(classes: int, smoothing: float) -> Callable[[NamedTensors, Mapping[str, Any]], Tensor]:
    """A loss of (network outputs, batch): mean nats, the target's probability spread by a share over all classes."""

    def loss(outputs: NamedTensors, batch: Mapping[str, Any]) -> Tensor:
        wanted = tf.one_hot(batch["targets"], classes) * (1 - smoothing) + smoothing / classes
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=outputs["logits"]))

    return loss
