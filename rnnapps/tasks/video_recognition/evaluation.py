"""Scores of a video model on held-out videos, beside what can be told without the order of the frames."""

from __future__ import annotations

import keras
import numpy as np

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.metrics.parts import means, ratio
from rnnapps.tasks.video_recognition.baselines import still_probabilities
from rnnapps.tasks.video_recognition.classification import (
    classification_metrics,
    confusion_matrix,
    likeliest,
    recall_by_class,
)
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.video import VideoSplits
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig
from rnnapps.tasks.video_recognition.scoring import numbers_of, video_scorer
from rnnapps.tasks.video_recognition.video_format import VideoFormat

__all__ = ["evaluate_video"]


def evaluate_video(
    network: keras.Model,
    video_format: VideoFormat,
    videos: VideoSplits,
    *,
    data: VideoDataConfig,
    model: VideoModelConfig,
    seed: int,
) -> Evaluation:
    """Metrics and baselines on the test videos; the recall of each class among the diagnostics."""
    targets = numbers_of(videos.test, video_format.labels)
    probabilities = video_scorer(network, videos.test, video_format.clip_frames)()
    matrix = confusion_matrix(likeliest(probabilities), targets, len(video_format.labels))
    recalls = zip(video_format.labels, recall_by_class(matrix), strict=True)
    still = still_probabilities(model, video_format, videos, videos.test, data=data, seed=seed)
    judged = {MODEL: probabilities, **still}
    return Evaluation(
        metrics=classification_metrics(probabilities, targets, item="video"),
        baselines={name: classification_metrics(own, targets, item="video") for name, own in still.items()},
        examples=len(videos.test),
        split="test",
        diagnostics={f"recall_{label}": float(value) for label, value in recalls if not np.isnan(value)},
        comparison=Comparison(
            "accuracy",
            {name: means(likeliest(own) == targets) for name, own in judged.items()},
            ratio,
            part="videos",
        ),
    )
