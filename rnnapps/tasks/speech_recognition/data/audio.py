"""Recorded sound in. Bytes from anyone: a file is valid audio or a `DataError` of one line."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rnnapps.data.compressed import BROKEN, compression_of, open_compressed, plain_suffix
from rnnapps.data.converters import converted, converter_suffixes
from rnnapps.data.file_kinds import HEAD_BYTES, kind_of
from rnnapps.data.sources import read_bytes
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.sound_track import TRACK_SUFFIXES, has_track, parse_track, read_track
from rnnapps.types import Array

__all__ = [
    "AUDIO_SUFFIXES",
    "BLOCK_SAMPLES",
    "MAXIMUM_BYTES",
    "MAXIMUM_SAMPLES",
    "STREAMED_BYTES",
    "audio_suffixes",
    "clear_errors",
    "decoded_blocks",
    "file_head",
    "parse_audio",
    "quiet_decoders",
    "read_audio",
    "require_finite",
    "require_rate",
    "require_suffix",
    "require_whole",
    "resampled",
    "with_sizes",
]

if TYPE_CHECKING:
    import soundfile

AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf"),
    *(".w64", ".rf64", ".sph", ".nist"),
    *TRACK_SUFFIXES,
)
"""What libsndfile opens by its first bytes, and what FFmpeg reads."""

SOUND_BEGINNINGS = (b"RIFF", b"fLaC", b"OggS", b"ID3")
"""Of files that were meant to be sound, and are damaged."""

MAXIMUM_BYTES = 1 << 28
MAXIMUM_SAMPLES = 100_000_000
"""Samples of one channel, before and after resampling: 35 minutes at 48 kHz, 3.5 hours at 8 kHz."""

MAXIMUM_CHANNELS = 16
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 384_000
BLOCK_SAMPLES = 1 << 16
STREAMED_BYTES = 0x7FFF_F000
"""From here on a size in a WAV header is a place-holder of a writer into a pipe: 0x7FFFF000 or 0xFFFFFFFF."""

_LARGEST_SIZE = 0xFFFF_FFFE
"""Of a WAV file, whose header has 32 bits for it."""

LOUDEST = 1e6
"""Largest sample, where 1 is full scale: floating-point files may go beyond it, but not this far."""


def read_audio(path: str | Path, *, sample_rate_hz: int) -> Array:
    """Reads a file of any known kind as `parse_audio` does.

    Raises:
        DataError: it is missing, too large, damaged or of another kind.
    """
    path = converted(Path(path), "sound")
    require_suffix(path)
    head = file_head(path)
    if head and (has_track(head) or plain_suffix(path) in TRACK_SUFFIXES):
        _require_sound(head, path)
        return _of_track(read_track(path, path, maximum_samples=MAXIMUM_SAMPLES), sample_rate_hz, path)
    return parse_audio(read_bytes(path, maximum_bytes=MAXIMUM_BYTES), path, sample_rate_hz=sample_rate_hz)


def audio_suffixes() -> tuple[str, ...]:
    """The endings of recordings, those that readers of other packages know among them."""
    return (*AUDIO_SUFFIXES, *converter_suffixes("sound"))


def parse_audio(content: bytes, name: str | Path, *, sample_rate_hz: int) -> Array:
    """Decodes what libsndfile or FFmpeg read; channels are averaged, and the rate is converted where it differs.

    Blocks are decoded one after another and the header's length is not trusted, so that no file costs more memory than
    its limit: 100 million samples. FFmpeg decodes in a process of its own.

    Args:
        content: the file's bytes.
        name: what to call it in errors.
        sample_rate_hz: rate of the result.

    Returns:
        float32 `(samples,)`, full scale 1.

    Raises:
        DataError: no audio file, damaged, beyond a limit, without samples, or with some that are no finite numbers.
    """
    import soundfile

    if not content:
        raise DataError(name, "is empty: it has 0 bytes", "leave it out")
    if has_track(content[:HEAD_BYTES]):
        track = parse_track(content, name, maximum_samples=MAXIMUM_SAMPLES)
        return _of_track(track, sample_rate_hz, name)
    content = with_sizes(content, len(content))
    require_whole(content, len(content), name)
    with quiet_decoders(), clear_errors(content, name), soundfile.SoundFile(io.BytesIO(content)) as file:
        rate = file.samplerate
        blocks = list(decoded_blocks(file, name, maximum_samples=MAXIMUM_SAMPLES))
        samples = np.concatenate([np.zeros(0, np.float32), *blocks])
    _require_samples(samples, name)
    return resampled(samples, rate, sample_rate_hz, name)


def require_suffix(path: Path) -> None:
    """Raises DataError for a file whose name does not say that it is a recording."""
    if plain_suffix(path) not in AUDIO_SUFFIXES:
        known = ", ".join(AUDIO_SUFFIXES)
        remedy = f"convert it to WAV, for instance: ffmpeg -i {path.name} {path.stem}.wav"
        raise DataError(path, f"ends in {path.suffix or 'nothing'}; recordings end in {known}", remedy)


@contextlib.contextmanager
def clear_errors(head: bytes, name: str | Path) -> Iterator[None]:
    """Raises DataError for what soundfile says of a file that it cannot decode.

    Args:
        head: the first bytes of the file.
        name: what to call it.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # soundfile lets out what its file object or its checks run into
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.partition("object at")[2].partition(": ")[2] or reason  # behind soundfile's name of the file
        _require_sound(head, name)
        problem = f"cannot be decoded as sound (WAV, FLAC, Ogg, MP3...): {reason.rstrip('.')}"
        raise DataError(name, problem, "the file is damaged or of another kind") from None


def _of_track(track: tuple[Array, int], sample_rate_hz: int, name: str | Path) -> Array:
    """What FFmpeg has decoded, checked, at the rate wanted."""
    samples, rate = track
    _require_samples(samples, name)
    require_rate(rate, name)
    for start in range(0, len(samples), BLOCK_SAMPLES):
        require_finite(samples[start : start + BLOCK_SAMPLES], start, name)
    return resampled(samples, rate, sample_rate_hz, name)


def _require_samples(samples: Array, name: str | Path) -> None:
    """Refuses sound of no length."""
    if not len(samples):
        raise DataError(name, "holds no samples", "record it again or leave it out")


def file_head(path: Path) -> bytes:
    """The first bytes of a file, that of its compression taken off; none where it cannot be read."""
    try:
        with open(path, "rb") as file:
            compression = compression_of(path, file.read(8))
            file.seek(0)
            with open_compressed(file, compression) if compression else file as plain:
                return plain.read(HEAD_BYTES)
    except BROKEN:
        return b""


def _require_sound(content: bytes, name: str | Path) -> None:
    """Refuses what its first bytes show to be something else than sound."""
    kind = "" if content.startswith(SOUND_BEGINNINGS) or has_track(content[:HEAD_BYTES]) else kind_of(content)
    if kind:
        raise DataError(name, f"is {kind}, and no sound", "give a recording, or leave it out") from None


def resampled(samples: Array, from_hz: int, to_hz: int, name: str | Path) -> Array:
    """Samples `(samples,)` at another rate, by band-limited interpolation (libsoxr).

    Raises:
        DataError: the result would be beyond the limit.
    """
    if from_hz == to_hz or not len(samples):
        return samples
    if len(samples) * to_hz > MAXIMUM_SAMPLES * from_hz:
        problem = f"lasts {len(samples) / from_hz:,.0f} s, more than {MAXIMUM_SAMPLES:,} samples at {to_hz:,} Hz"
        raise DataError(name, problem, "split it")
    import soxr

    converted: Array = soxr.resample(samples, from_hz, to_hz, quality="HQ").astype(np.float32)
    return converted


def with_sizes(content: bytes, total: int) -> bytes:
    """A WAV file with the sizes that its writer did not know, since it wrote into a pipe: all that follows.

    Args:
        content: the file, or so many of its first bytes that its samples begin within them.
        total: its size.
    """
    size = int.from_bytes(content[4:8], "little")
    if content[:4] != b"RIFF" or 0 < size < STREAMED_BYTES:
        return content
    place = 12
    while place + 8 <= len(content):
        length = int.from_bytes(content[place + 4 : place + 8], "little")
        if content[place : place + 4] == b"data":
            unknown = length >= STREAMED_BYTES or not length + size
            length = min(total - place - 8, _LARGEST_SIZE) if unknown else length
            whole = min(total - 8, _LARGEST_SIZE).to_bytes(4, "little")
            head = content[:4] + whole + content[8 : place + 4]
            return head + length.to_bytes(4, "little") + content[place + 8 :]
        place += 8 + length + length % 2
    return content


def require_whole(content: bytes, total: int, name: str | Path) -> None:
    """Refuses a WAV file that is shorter than it says, which the decoder would read as far as it goes.

    Args:
        content: its first bytes.
        total: its size.
        name: what to call it in the error.
    """
    size = int.from_bytes(content[4:8], "little")
    unknown = size in (0, 0xFFFFFFFF)  # of programs that write into a pipe
    if content[:4] == b"RIFF" and not unknown and size + 8 > total + 1:  # some forget the last padding byte
        problem = f"is cut off: it has {total:,} of the {size + 8:,} bytes its header claims"
        raise DataError(name, problem, "copy it again or leave it out")


def _require_sane(file: soundfile.SoundFile, name: str | Path, maximum_samples: int) -> None:
    """Checks what the header claims, before anything is decoded."""
    if not 1 <= file.channels <= MAXIMUM_CHANNELS:
        problem = f"has {file.channels} channels; at most {MAXIMUM_CHANNELS} are read"
        raise DataError(name, problem, "mix it down")
    require_rate(file.samplerate, name)
    if file.frames > maximum_samples:
        problem = f"claims {file.frames:,} samples; at most {maximum_samples:,} are read"
        raise DataError(name, problem, "split it; a file of this size on disk is damaged")


def require_rate(rate: int, name: str | Path) -> None:
    """Refuses rates that no recorder has."""
    if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        problem = f"has {rate:,} samples a second; expected {LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,}"
        raise DataError(name, problem, "the file is damaged, or resample it")


def require_finite(samples: Array, before: int, name: str | Path) -> None:
    """Refuses samples `(samples,)` that are no numbers or far too large; `before` counts those in front of them."""
    fit = np.isfinite(samples) & (np.abs(samples) <= LOUDEST)
    if not fit.all():
        number = int(np.argmin(fit))
        raise DataError(name, f"sample {before + number:,} is {samples[number]:g}; full scale is 1", "it is damaged")


def decoded_blocks(file: soundfile.SoundFile, name: str | Path, *, maximum_samples: int) -> Iterator[Array]:
    """All samples of an opened file, block by block, float32 `(samples,)` each, channels averaged.

    Raises:
        DataError: the file claims what cannot be, holds more than `maximum_samples`, or less than it claims.
    """
    _require_sane(file, name, maximum_samples)
    count = 0
    while len(block := file.read(BLOCK_SAMPLES, dtype="float32", always_2d=True)):
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
        require_finite(mono, count, name)
        count += len(mono)
        if count > maximum_samples:
            raise DataError(name, f"has more than {maximum_samples:,} samples", "split it")
        yield np.ascontiguousarray(mono)
    if count < file.frames and file.format != "MP3":  # the length of an MP3 is an estimate where it has no header
        problem = f"ends after {count:,} of the {file.frames:,} samples its header claims"
        raise DataError(name, problem, "the file is cut off or damaged")


@contextlib.contextmanager
def quiet_decoders() -> Iterator[None]:
    """Keeps what the MP3 decoder writes to the process's standard error from the user, who gets one line."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
