"""Sound piece by piece, as it is heard: from files, standard input, the microphone, and from Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import numpy as np

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.given import MEMORY
from rnnapps.data.given_rows import has_rate
from rnnapps.data.line_input import tell_of_terminal
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.data.sound import Sound, mono, read_sound
from rnnapps.tasks.speech_recognition.data.utterance import SCALE
from rnnapps.types import Array

__all__ = ["STANDARD_INPUT", "given_chunks", "sound_chunks"]

STANDARD_INPUT = "-"


def sound_chunks(source: str, sample_rate_hz: int, size: int, *, memory: StreamMemory) -> Iterator[Array]:
    """Sound of full scale 1, float32 `(size,)` each; the last may be shorter, unless it is left for the next stream.

    Args:
        source: a file, `-` for raw sound from standard input, or nothing for the microphone.
        sample_rate_hz: its rate; a file is converted.
        size: samples of a chunk.
        memory: what of standard input was read before and not used.

    Raises:
        ConfigError: there is no microphone.
        DataError: the file is missing or damaged.
    """
    if source == STANDARD_INPUT:
        yield from _standard_input(2 * size, memory)
    elif source:
        yield from _cut(read_sound(source, source, sample_rate_hz=sample_rate_hz), size)
    else:
        yield from _microphone(sample_rate_hz, size, memory)


def given_chunks(given: Sound | Iterable[Array], sample_rate_hz: int, size: int) -> Iterator[Array]:
    """The same of a recording from Python, or of an iterable of pieces of it, of any size each.

    Args:
        given: a recording as for `predict`, or its pieces, samples of the model's rate.
        sample_rate_hz: the model's rate.
        size: samples of a chunk of a whole recording.

    Raises:
        DataError: a file is missing or damaged, or something is no sound.
    """
    place = f"{MEMORY}: input"
    whole = isinstance(given, str | Path | bytes) or hasattr(given, "__array__") or has_rate(given)
    if whole:
        yield from _cut(read_sound(cast("Sound", given), place, sample_rate_hz=sample_rate_hz), size)
    elif isinstance(given, Iterable):
        yield from (mono(piece, f"{place}, chunk {number}") for number, piece in enumerate(given))
    else:
        expected = "give a recording, or an iterable of pieces of one, arrays of samples"
        raise DataError(place, f"is of type {type(given).__name__}", expected)


def _cut(samples: Array, size: int) -> Iterator[Array]:
    return (samples[first : first + size] for first in range(0, len(samples), size))


def _standard_input(size: int, memory: StreamMemory) -> Iterator[Array]:
    """Chunks of so many bytes; the last, shorter one is left for the next stream where there will be one."""
    tell_of_terminal("raw sound")
    read: Callable[[int], bytes] = sys.stdin.buffer.read1  # type: ignore[union-attr]
    before = memory.before("sound")
    ahead = bytes.fromhex(before.facts["ahead"]) if before else b""
    memory.watch("sound", lambda: Remembered({"ahead": ahead.hex()}))
    while True:
        content = b"-"
        while content and len(ahead) < size:
            with memory.waiting():
                content = read(size - len(ahead))
            ahead += content
        if not content and (memory.keeps or not ahead):
            return
        chunk, ahead = ahead[:size], ahead[size:]
        yield np.frombuffer(chunk[: len(chunk) // 2 * 2], "<i2").astype(np.float32) / SCALE


def _microphone(rate: int, size: int, memory: StreamMemory) -> Iterator[Array]:
    """Until interrupted."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the package is there, but the PortAudio library is not
        remedy = "pip install sounddevice, or pipe a recorder into --file -"
        raise ConfigError(f"the microphone cannot be read: {error}; {remedy}") from None
    try:
        with sounddevice.InputStream(samplerate=rate, channels=1, dtype="float32", blocksize=size) as stream:
            while True:
                with memory.waiting():
                    samples = stream.read(size)[0][:, 0]
                yield samples
    except sounddevice.PortAudioError as error:
        raise ConfigError(f"the microphone cannot be read: {error}; choose another as the default device") from None
    except KeyboardInterrupt:
        return
