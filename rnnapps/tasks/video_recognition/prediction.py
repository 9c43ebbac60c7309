"""Answers for video files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from rnnapps.data.sources import list_files
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.sources import VIDEO_SUFFIXES
from rnnapps.tasks.video_recognition.scoring import video_probabilities
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Array

__all__ = ["recognise"]


def recognise(network: keras.Model, video_format: VideoFormat, source: str, *, top: int) -> list[dict[str, Any]]:
    """What a file, or each video of a folder, shows: {"video", "label", "probability", "classes"}.

    Args:
        network: what `video_network` returned.
        video_format: classes and frames of the network.
        source: the file or folder.
        top: number of the classes in "classes", the likeliest first.

    Raises:
        DataError: a file is missing, damaged or beyond a limit, or the folder holds no video.
    """
    root = Path(source)
    paths = list_files(root, VIDEO_SUFFIXES) if root.is_dir() else [root]
    if not paths:
        raise DataError(root, "holds no video", f"put files there that end in {' '.join(VIDEO_SUFFIXES)}")
    with VideoDecoder(video_format.data_config) as decoder:
        return [
            {"video": str(path), **_described(video_probabilities(network, video_format, frames), video_format, top)}
            for path, frames in zip(paths, decoder.decode_all(paths), strict=True)
        ]


def _described(probabilities: Array, video_format: VideoFormat, top: int) -> dict[str, Any]:
    """Probabilities `(classes,)` as JSON can hold them."""
    order = np.argsort(-probabilities, kind="stable")[:top]
    classes = {video_format.labels[number]: round(float(probabilities[number]), 4) for number in order}
    label = next(iter(classes))
    return {"label": label, "probability": classes[label], "classes": classes}
