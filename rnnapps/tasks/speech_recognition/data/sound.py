"""Sound in any form that Python users have: a file, its bytes, or samples with or without their rate."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from rnnapps.data.given_rows import has_rate
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.audio import (
    HIGHEST_RATE_HZ,
    LOUDEST,
    LOWEST_RATE_HZ,
    MAXIMUM_CHANNELS,
    parse_audio,
    read_audio,
    resampled,
)
from rnnapps.tasks.speech_recognition.data.utterance import SCALE
from rnnapps.types import Array

__all__ = ["Sound", "mono", "piece", "read_sound", "samples_and_rate"]

BEYOND_SECONDS = 0.5
"""So far behind a recording's end its last piece may reach, as rounded times and cut-off padding let it."""

Sound: TypeAlias = "str | Path | bytes | Array | tuple[Array, float]"
"""A file, the bytes of one, samples of the rate that the model works with, or a pair of samples and their rate."""


def read_sound(sound: Sound, place: str, *, sample_rate_hz: int) -> Array:
    """Samples float32 `(samples,)` of full scale 1 at a rate, read or converted as those of a file are.

    Args:
        sound: a file, or samples as `mono` takes them.
        place: what to call it in errors.
        sample_rate_hz: rate of the result, and of samples that come without one.

    Raises:
        DataError: a file is missing or damaged, or an array is no sound.
    """
    if isinstance(sound, str | Path):
        return read_audio(sound, sample_rate_hz=sample_rate_hz)
    if isinstance(sound, bytes):
        return parse_audio(sound, place, sample_rate_hz=sample_rate_hz)
    return resampled(*samples_and_rate(sound, place, sample_rate_hz=sample_rate_hz), sample_rate_hz, place)


def samples_and_rate(sound: Array | tuple[Array, float], place: str, *, sample_rate_hz: int) -> tuple[Array, int]:
    """Samples as `mono` returns them, and their rate: `sample_rate_hz`, where they come without one.

    Raises:
        DataError: they are no sound, or nothing has such a rate.
    """
    samples, rate = sound if isinstance(sound, tuple) and has_rate(sound) else (sound, sample_rate_hz)
    if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ or rate != int(rate):
        expected = f"a rate is a whole number from {LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,}"
        raise DataError(place, f"has {rate} samples a second", expected)
    return mono(samples, place), int(rate)


def piece(samples: Array, span: tuple[float, float | None], place: str, *, sample_rate_hz: int) -> Array:
    """A part of a recording.

    Args:
        samples: all of it, `(samples,)`.
        span: first and last second; the last may be None, the end.
        place: where they are written, for errors.
        sample_rate_hz: the rate.

    Raises:
        DataError: it lies outside the recording.
    """
    start, lasts = span[0], len(samples) / sample_rate_hz
    end = lasts if span[1] is None else span[1]
    if not 0 <= start < end <= lasts + BEYOND_SECONDS:
        problem = f"cuts from {start:g} to {end:g} s out of a recording of {lasts:.2f} s"
        raise DataError(place, problem, "correct the times, or name the right recording")
    return samples[round(start * sample_rate_hz) : round(end * sample_rate_hz)]


def mono(samples: object, place: str) -> Array:
    """Samples as float32 `(samples,)`, channels averaged.

    Args:
        samples: int16, or floats of full scale 1, `(samples,)` or `(samples, channels)`.
        place: what to call them in errors.

    Raises:
        DataError: they are something else, or not finite.
    """
    expected = "give a path, samples (int16, or floats from -1 to 1), or (samples, sample_rate_hz)"
    if not hasattr(samples, "__array__"):
        raise DataError(place, f"is of type {type(samples).__name__}", expected)
    array = np.asarray(samples)
    if array.dtype != np.int16 and array.dtype.kind != "f":
        raise DataError(place, f"holds {array.dtype}", expected)
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 1 <= array.shape[1] <= MAXIMUM_CHANNELS):
        problem = f"has the shape {array.shape}; expected (samples,) or (samples, channels)"
        raise DataError(place, problem, f"up to {MAXIMUM_CHANNELS} channels are averaged")
    fit = np.isfinite(array) & (np.abs(array) <= LOUDEST)
    if not fit.all():
        index = np.unravel_index(int(np.argmin(fit)), array.shape)
        raise DataError(place, f"sample {index[0]:,} is {array[index]:g}; full scale is 1", "leave it out")
    scaled = array.astype(np.float32) / np.float32(SCALE if array.dtype == np.int16 else 1.0)
    if scaled.ndim == 2:
        scaled = scaled[:, 0] if scaled.shape[1] == 1 else scaled.mean(axis=1)
    return np.ascontiguousarray(scaled)
