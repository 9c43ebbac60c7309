"""Writing mp4 files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer

from rnnapps.atomic import atomic_file
from rnnapps.types import Array

__all__ = ["write_mp4"]

QUALITY = "18"


def write_mp4(path: Path, frames: Array, *, rate: float) -> None:
    """Writes frames as an H.264 mp4, or MPEG-4 part 2 where this PyAV has no H.264 encoder; whole or not at all.

    Args:
        path: the file; its folder must exist.
        frames: uint8 `(frames, height, width, 3)`, height and width even.
        rate: frames per second.
    """
    with atomic_file(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        _encode(container, frames, rate)


def _encode(container: OutputContainer, frames: Array, rate: float) -> None:
    """Adds a video stream with the frames to an open file."""
    h264 = "libx264" in av.codecs_available
    stream = container.add_stream("libx264" if h264 else "mpeg4", rate=Fraction(rate).limit_denominator(1000))
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
    if h264:
        stream.options = {"crf": QUALITY, "preset": "veryfast"}
    else:
        stream.codec_context.bit_rate = 4_000_000
    for picture in frames:
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(stream.encode())
