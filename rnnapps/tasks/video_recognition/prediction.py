"""Answers for videos."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import answered
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.films import Film, decoded_films
from rnnapps.tasks.video_recognition.data.frame_folders import VIDEO_SUFFIXES, films_in
from rnnapps.tasks.video_recognition.scoring import video_probabilities
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Array

__all__ = ["Recognition", "films_of", "recognise"]


@dataclass(frozen=True)
class Recognition:
    """What a video shows.

    Attributes:
        video: its file; empty for pictures that came from none.
        label: the likeliest class.
        probability: that of the likeliest class, 0 to 1.
        classes: the likeliest classes with their probabilities, the likeliest first.
    """

    video: str
    label: str
    probability: float
    classes: Mapping[str, float]

    def printed(self) -> dict[str, Any]:
        """The same, probabilities to four places."""
        classes = {label: round(probability, 4) for label, probability in self.classes.items()}
        return {"video": self.video, "label": self.label, "probability": classes[self.label], "classes": classes}


def films_of(source: str) -> list[Path]:
    """A file, or each video of a folder; folders of pictures are videos too.

    Raises:
        DataError: the folder holds no video.
    """
    root = unpacked_source(source)
    paths = films_in(root) if root.is_dir() else [root]
    if not paths:
        raise DataError(root, "holds no video", f"put files there that end in {' '.join(VIDEO_SUFFIXES)}")
    return paths


def recognise(
    network: keras.Model, video_format: VideoFormat, films: Sequence[Film], *, top: int, many: bool = False
) -> Iterator[Recognition | BadExample]:
    """What each video shows, as soon as it is known.

    Args:
        network: what `video_network` returned.
        video_format: classes and frames of the network.
        films: the videos.
        top: number of the classes that are told of, the likeliest first.
        many: whether the others are recognised where one cannot be read.

    Raises:
        DataError: a file is missing, damaged or beyond a limit, and there are not many.
    """

    def recognised(film: Film, frames: Callable[[], Array]) -> Recognition:
        return _described(film, video_probabilities(network, video_format, frames()), video_format, top)

    with contextlib.closing(decoded_films(films, video_format.data_config)) as decoded:
        yield from answered((partial(recognised, film, frames) for film, frames in decoded), many=many)


def _described(film: Film, probabilities: Array, video_format: VideoFormat, top: int) -> Recognition:
    """Probabilities `(classes,)` in words."""
    order = np.argsort(-probabilities, kind="stable")[:top]
    classes = {video_format.labels[number]: float(probabilities[number]) for number in order}
    label = next(iter(classes))
    return Recognition(str(film) if isinstance(film, Path) else "", label, classes[label], classes)
