"""Sound of any length block by block, so that a recording of hours takes no more memory than one of minutes."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.converters import converted
from rnnapps.data.sources import read_head
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.audio import (
    BLOCK_SAMPLES,
    clear_errors,
    decoded_blocks,
    quiet_decoders,
    require_finite,
    require_rate,
    require_suffix,
    require_whole,
    with_sizes,
)
from rnnapps.tasks.speech_recognition.data.sound import Sound, samples_and_rate
from rnnapps.tasks.speech_recognition.data.sound_track import TRACK_SUFFIXES, has_track, track_blocks
from rnnapps.types import Array

__all__ = ["sound_blocks"]

HEAD_BYTES = 1 << 16
"""Of a WAV file, in which its samples begin."""

LONGEST_SECONDS = 24 * 3600

RatedBlocks = Iterator[tuple[int, Array]]
"""Samples a second, and float32 `(samples,)` of full scale 1, block by block."""


def sound_blocks(sound: Sound, place: str, *, sample_rate_hz: int) -> Iterator[Array]:
    """What `read_sound` returns, block by block, float32 `(samples,)` each; up to a day of it.

    Rates are converted by the same filter; its rounding may differ in the last bit.

    Args:
        sound: a file, its bytes, or samples.
        place: what to call it in errors.
        sample_rate_hz: rate of the result, and of samples that come without one.

    Raises:
        DataError: a file is missing or damaged, or an array is no sound.
    """
    place, heard = str(sound) if isinstance(sound, str | Path) else place, 0
    for block in _at_rate(_rated(sound, place, sample_rate_hz), sample_rate_hz):
        heard += len(block)
        if heard > LONGEST_SECONDS * sample_rate_hz:
            raise DataError(place, f"lasts more than {LONGEST_SECONDS // 3600} hours", "split it")
        yield block
    if not heard:
        raise DataError(place, "holds no samples", "record it again or leave it out")


def _rated(sound: Sound, place: str, sample_rate_hz: int) -> RatedBlocks:
    """The blocks of a sound at its own rate."""
    if isinstance(sound, str | Path):
        return _of_path(converted(Path(sound), "sound"))
    if isinstance(sound, bytes):
        return _of_bytes(sound, place)
    samples, rate = samples_and_rate(sound, place, sample_rate_hz=sample_rate_hz)
    return ((rate, samples[first : first + BLOCK_SAMPLES]) for first in range(0, len(samples), BLOCK_SAMPLES))


def _of_path(path: Path) -> RatedBlocks:
    """The sound of a file, which may be compressed."""
    require_suffix(path)
    plain = unpacked_source(path)
    if plain.exists() and not plain.is_file():
        raise DataError(path, "is not a regular file", "give the path of a file")
    if has_track(read_head(plain, 64)) or plain_suffix(path) in TRACK_SUFFIXES:
        yield from _of_track(plain, path)
        return
    with open(plain, "rb") as file:
        yield from _of_file(file, plain.stat().st_size, path)


def _of_bytes(content: bytes, name: str) -> RatedBlocks:
    """The sound of a file that is in memory."""
    if not has_track(content[:HEAD_BYTES]):
        yield from _of_file(io.BytesIO(content), len(content), name)
        return
    with tempfile.NamedTemporaryFile(prefix="rnnapps-sound-") as file:
        file.write(content)
        file.flush()
        yield from _of_track(Path(file.name), name)


def _of_track(path: Path, name: str | Path) -> RatedBlocks:
    """What FFmpeg decodes, checked."""
    count = 0
    for rate, block in track_blocks(path, name):
        require_rate(rate, name)
        require_finite(block, count, name)
        count += len(block)
        yield rate, block


def _of_file(file: IO[bytes], size: int, name: str | Path) -> RatedBlocks:
    """What libsndfile decodes, one block at a time: only then is what it writes kept from the user."""
    import soundfile

    head = file.read(HEAD_BYTES)
    if not head:
        raise DataError(name, "is empty: it has 0 bytes", "leave it out")
    right = with_sizes(head, size)
    require_whole(right, size, name)
    file.seek(0)
    with contextlib.ExitStack() as stack:
        with quiet_decoders(), clear_errors(head, name):
            opened = soundfile.SoundFile(file if right == head else _WithHead(file, right))
            stack.enter_context(opened)
        blocks = decoded_blocks(opened, name, maximum_samples=LONGEST_SECONDS * opened.samplerate)
        while True:
            with quiet_decoders(), clear_errors(head, name):
                block = next(blocks, None)
            if block is None:
                return
            yield opened.samplerate, block


class _WithHead(io.RawIOBase):
    """A file whose first bytes are others.

    Args:
        file: the file.
        head: what its first bytes are instead.
    """

    def __init__(self, file: IO[bytes], head: bytes) -> None:
        self._file, self._head = file, head

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As that of the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As that of the file."""
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes."""
        first = self._file.tell()
        content = self._file.read(len(buffer))
        own = self._head[first : first + len(content)]
        buffer[: len(content)] = own + content[len(own) :]
        return len(content)


def _at_rate(blocks: RatedBlocks, to_hz: int) -> Iterator[Array]:
    """Blocks at another rate, by band-limited interpolation (libsoxr), none of them empty."""
    converter = None
    for rate, block in blocks:
        if rate != to_hz and converter is None:
            import soxr

            converter = soxr.ResampleStream(rate, to_hz, 1, dtype="float32", quality="HQ")
        if len(converted := block if converter is None else converter.resample_chunk(block)):
            yield converted
    if converter is not None and len(rest := converter.resample_chunk(np.zeros(0, np.float32), last=True)):
        yield rest
