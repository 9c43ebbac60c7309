"""Videos that are not decoded yet, files or pictures in memory, and their way to frames of the working size."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from rnnapps.data.given_rows import has_rate
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.clip import Clip
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.worker import MOST_PIXELS, crop_box, sample
from rnnapps.tasks.video_recognition.working_frames import to_working_size
from rnnapps.types import Array

__all__ = [
    "HIGHEST_RATE",
    "LOWEST_RATE",
    "Film",
    "GivenFilm",
    "Pictures",
    "decoded_films",
    "given_film",
    "given_picture",
    "resampled",
]

LOWEST_RATE, HIGHEST_RATE = 0.01, 1000.0
"""Frames per second of pictures in memory."""


@dataclass(frozen=True)
class Pictures:
    """A video in memory.

    Attributes:
        frames: uint8 `(frames, height, width, 3)`.
        rate: frames per second.
        name: what to call it in errors.
    """

    frames: Array
    rate: float
    name: str


Film: TypeAlias = Path | Clip | Pictures
GivenFilm: TypeAlias = "str | Path | Array | tuple[Array, float]"
"""What Python users give: a file, frames of the rate `data.source_rate`, or a pair of frames and their rate."""


def given_film(given: GivenFilm, place: str, rate: float) -> Film:
    """A video from Python, checked.

    Args:
        given: the video.
        place: what to call it in errors.
        rate: frames per second of frames that come without a rate.

    Raises:
        DataError: it is neither a path nor frames.
    """
    if isinstance(given, str | Path):
        return Path(given)
    frames, rate = given if isinstance(given, tuple) and has_rate(given) else (given, rate)
    expected = "give a path, frames uint8 (frames, height, width, 3), or (frames, frames_per_second)"
    if not hasattr(frames, "__array__"):
        raise DataError(place, f"is of type {type(frames).__name__}", expected)
    array = np.asarray(frames)
    if array.ndim != 4:
        raise DataError(place, f"has the shape {array.shape}", expected)
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise DataError(place, f"has {rate:g} frames a second", f"a rate is from {LOWEST_RATE:g} to {HIGHEST_RATE:g}")
    for frame in array[:1]:
        given_picture(frame, place)
    return Pictures(array, float(rate), place)


def given_picture(picture: object, place: str) -> Array:
    """One frame from Python, uint8 `(height, width, 3)`; raises DataError where it is none."""
    expected = "a frame is uint8 (height, width, 3): red, green and blue"
    if not hasattr(picture, "__array__"):
        raise DataError(place, f"has a frame of type {type(picture).__name__}", expected)
    array = np.asarray(picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise DataError(place, f"has frames of {array.dtype} {array.shape}", expected)
    if array.shape[0] * array.shape[1] > MOST_PIXELS:
        problem = f"has frames of {array.shape[1]} x {array.shape[0]}; at most {MOST_PIXELS:,} pixels are read"
        raise DataError(place, problem, "make it smaller")
    return array


def decoded_films(
    films: Sequence[Film], config: VideoDataConfig
) -> Generator[tuple[Film, Callable[[], Array]], None, None]:
    """Videos in their order, each with what gives its frames; files are decoded side by side.

    Frames are uint8 `(frames, size, size, channels)`. Instead of them, DataError is raised where a file is missing,
    damaged or beyond a limit, or pictures last too long.
    """
    paths = [film for film in films if not isinstance(film, Pictures)]
    with VideoDecoder(config) as decoder, contextlib.closing(decoder.decode_all(paths)) as of_files:
        for film in films:
            yield film, partial(resampled, film, config) if isinstance(film, Pictures) else next(of_files)


def resampled(pictures: Pictures, config: VideoDataConfig) -> Array:
    """Frames at the working rate and size, uint8 `(frames, size, size, channels)`.

    Raises:
        DataError: there are none, or they last too long.
    """
    shown, frames = 1 / pictures.rate, pictures.frames
    length = len(frames) * shown
    if not len(frames) or length > config.longest_seconds:
        problem = f"lasts {length:g} s; expected more than 0 and at most {config.longest_seconds:g}"
        raise DataError(pictures.name, problem, "see --data.longest_seconds")
    timed: Iterator[tuple[float, float, Array]] = (
        (number * shown, shown, frame) for number, frame in enumerate(frames)
    )
    first = crop_box(frames[0], config.crop)
    small: list[Array] = []
    for frame, repeats in sample(timed, config.frames_per_second, config.longest_seconds):
        small += [to_working_size(frame, first, config.size, grey=config.colour == "grey")] * repeats
    return np.stack(small)
