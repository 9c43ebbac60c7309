"""The process that decodes sound of strangers with FFmpeg: this module, run by `python -m`.

See `rnnapps.data.guarded_answers`.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from rnnapps.data.guarded_answers import FORMATS, Refusal, serve
from rnnapps.types import Array

__all__ = ["TrackParts", "decode"]

REMEDY = "convert it to WAV or leave it out"


def decode(path: str, maximum_samples: int) -> Array:
    """The rate of a file's first sound track, and its samples, float32 `(1 + samples,)`; channels are averaged.

    Raises:
        Refusal: it has no sound, or too much.
    """
    blocks = [np.zeros(1, np.float32)]
    count = 0
    for rate, block in _opened(path):
        count += len(block)
        if count > maximum_samples:
            raise Refusal(f"has more than {maximum_samples:,} samples", "split it")
        blocks[0][0] = rate
        blocks.append(block)
    return np.concatenate(blocks)


class TrackParts:
    """Decodes a file part by part, each where the last one ended, so that none is held whole."""

    def __init__(self) -> None:
        self._path, self._position = "", 0
        self._blocks: Iterator[tuple[int, Array]] = iter(())
        self._rate, self._held = 0, np.zeros(0, np.float32)

    def read(self, path: str, first: int, count: int) -> Array:
        """The rate of a file's first sound track, and so many samples from one on, fewer at its end.

        Raises:
            Refusal: it has no sound.
        """
        if (path, first) != (self._path, self._position):
            self._blocks, self._rate, self._held = _opened(path), 0, np.zeros(0, np.float32)
            for skipped in range(0, first, count):
                self._take(min(count, first - skipped))
        self._path = ""  # what fails is begun anew
        part = self._take(count)
        self._path, self._position = path, first + len(part)
        return np.concatenate([np.array([self._rate], np.float32), part])

    def _take(self, count: int) -> Array:
        """The next samples."""
        parts, size = [self._held], len(self._held)
        while size < count and (following := next(self._blocks, None)) is not None:
            self._rate, block = following
            parts.append(block)
            size += len(block)
        whole = np.concatenate(parts)
        self._held = whole[count:]
        return whole[:count]


def _opened(path: str) -> Iterator[tuple[int, Array]]:
    """(samples a second, float32 `(samples,)`) of each piece of a file's first sound track."""
    with av.open(path, options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
        if not container.streams.audio:
            kinds = "a picture but no sound" if container.streams.video else "no sound"
            raise Refusal(f"holds {kinds}", "leave it out")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise Refusal("holds sound of a kind that cannot be decoded", REMEDY)
        yield from _blocks(container, stream)


def _blocks(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[tuple[int, Array]]:
    """(samples a second, float32 `(samples,)`) of each piece of a track; raises Refusal where its kind changes."""
    resampler, kind = None, ("", 0)
    for frame in container.decode(stream):
        found = frame.layout.name, frame.sample_rate
        if resampler is None:  # one that only converts samples to floats, a plane for each channel
            resampler, kind = av.AudioResampler(format="fltp", layout=frame.layout, rate=frame.sample_rate), found
        if found != kind:
            raise Refusal("changes its rate or its channels", REMEDY)
        for converted in resampler.resample(frame):
            yield frame.sample_rate, converted.to_ndarray().mean(axis=0)


if __name__ == "__main__":
    parts = TrackParts()
    serve(lambda request: parts.read(**request) if "first" in request else decode(**request), "recording")
