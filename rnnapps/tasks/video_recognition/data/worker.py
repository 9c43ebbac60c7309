"""The process that decodes videos of strangers, within limits of its own: this module, run by `python -m`.

See `rnnapps.data.guarded_answers`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TypeVar

import av
import numpy as np

from rnnapps.data.guarded_answers import FORMATS, Refusal, serve
from rnnapps.tasks.video_recognition.data.config import Crop
from rnnapps.tasks.video_recognition.data.frame_folders import pictures_of
from rnnapps.tasks.video_recognition.data.request import Request
from rnnapps.tasks.video_recognition.working_frames import Box, centre_box, subject_box, to_working_size
from rnnapps.types import Array

__all__ = ["crop_box", "decode", "sample", "upright", "within"]

Frame = TypeVar("Frame")

MOST_PIXELS = 4096 * 2304
MOST_DECODED = 200_000
EARLIEST_STEP = 1e-6
WORTH_SEEKING = 2.0
"""Seconds from which on what comes before a clip is not decoded, but for what its first frame is made from."""

PICTURE_FORMATS = "jpeg_pipe,jpegls_pipe,png_pipe,bmp_pipe,webp_pipe,tiff_pipe"
MOST_PICTURE_BYTES = 64 << 20


def decode(request: Request) -> Array:
    """The frames of a video at a fixed rate and the working size, uint8 `(frames, size, size, channels)`.

    Raises:
        Refusal: it is no video, damaged, or beyond a limit.
    """
    taken: list[Array] = []
    box: Box | None = None
    for frame, repeats in sample(_frames(request), request.rate, request.longest_seconds):
        if box is None or request.crop != "subject":
            box = crop_box(frame, request.crop)
        if repeats:
            small = to_working_size(frame, box, request.size, grey=request.grey) if request.size else frame
            taken += [small] * repeats
    if not taken:
        raise Refusal("holds no frame", "the file is damaged or empty; convert it again or leave it out")
    return np.stack(taken)


def sample(
    frames: Iterator[tuple[float, float, Frame]], rate: float, longest_seconds: float
) -> Iterator[tuple[Frame, int]]:
    """How often each frame is taken when time is sampled at a fixed rate.

    At each moment k / rate, from the first frame's time on, the frame is taken that is shown then.

    Args:
        frames: (time in seconds, seconds it is shown, frame), times not falling.
        rate: samples in a second.
        longest_seconds: longest video accepted.

    Yields:
        (frame, number of times it is taken).

    Raises:
        Refusal: the video lasts longer.
    """
    start, taken, held = None, 0, None
    end = 0.0
    for time, shown, frame in frames:
        start = time if start is None else start
        end = time - start
        if end > longest_seconds:
            remedy = "cut it, or raise --data.longest_seconds"
            raise Refusal(f"lasts longer than {longest_seconds:g} s", remedy)
        if held is not None:
            due = _moments_before(end, rate)
            yield held, max(0, due - taken)
            taken = max(taken, due)
        held, end = frame, end + shown
    if held is not None:
        yield held, max(0 if taken else 1, _moments_before(min(end, longest_seconds), rate) - taken)


def _moments_before(end: float, rate: float) -> int:
    """How many of the moments 0, 1 / rate, 2 / rate... come before a time."""
    return max(0, int(np.ceil((end - EARLIEST_STEP) * rate)))


def _frames(request: Request) -> Iterator[tuple[float, float, Array]]:
    """(time, seconds shown, upright frame uint8 (height, width, 3)) of what is asked for."""
    of_folder = os.path.isdir(request.path)
    frames = _pictures(request.path, request.picture_rate) if of_folder else _film(request.path, request.start)
    return within(frames, request.start, request.end)


def within(
    frames: Iterator[tuple[float, float, Frame]], start: float, end: float | None
) -> Iterator[tuple[float, float, Frame]]:
    """The frames that are shown from one time to another; the first begins at the start, where it is shown before that.

    Args:
        frames: (time in seconds, seconds it is shown, frame), times not falling.
        start: the first second.
        end: the last; None for all that follow.
    """

    def trimmed(time: float, shown: float, frame: Frame) -> tuple[float, float, Frame]:
        begin, until = max(time, start), time + shown if end is None else min(time + shown, end)
        return begin, until - begin, frame

    held: tuple[float, float, Frame] | None = None
    for time, shown, frame in frames:
        if end is not None and time >= end:
            held = held and (held[0], time - held[0], held[2])  # it is shown until this one
            break
        if held is not None and time > start:
            yield trimmed(*held)
        held = time, shown, frame
    if held is not None and held[0] + held[1] > start:
        yield trimmed(*held)


def _film(path: str, start: float) -> Iterator[tuple[float, float, Array]]:
    """The frames of the first video stream of a file, from one of the last before a time on; times from its first."""
    with av.open(path, options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
        if not container.streams.video:
            raise Refusal("holds no video", "leave it out")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise Refusal("holds video of a kind that cannot be decoded", "convert it to H.264")
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        _require_pixels(stream.codec_context.width, stream.codec_context.height)
        shown = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        tick = float(stream.time_base or 0)
        first = (stream.start_time or 0) * tick
        if start > WORTH_SEEKING and stream.duration and tick:
            container.seek(round((first + start) / tick), stream=stream)
        last = None
        for number, frame in enumerate(container.decode(stream)):
            if number >= MOST_DECODED:
                raise Refusal(f"holds more than {MOST_DECODED:,} frames", "cut it into shorter videos")
            _require_pixels(frame.width, frame.height)
            time = frame.time - first if frame.time is not None else (0.0 if last is None else last + shown)
            last = time if last is None else max(last, time)
            yield last, shown, upright(frame.to_ndarray(format="rgb24"), frame.rotation)


def _pictures(folder: str, rate: float) -> Iterator[tuple[float, float, Array]]:
    """The frames in a folder, at a fixed rate."""
    for number, path in enumerate(pictures_of(folder)):
        if number >= MOST_DECODED:
            raise Refusal(f"holds more than {MOST_DECODED:,} pictures", "use a part of them")
        yield number / rate, 1 / rate, _picture(path)


def _picture(path: str) -> Array:
    """One picture, uint8 (height, width, 3)."""
    name = os.path.basename(path)
    if os.path.getsize(path) > MOST_PICTURE_BYTES:
        raise Refusal(f"{name} has more than {MOST_PICTURE_BYTES:,} bytes", "make it smaller")
    with open(path, "rb") as file:  # its content alone says what it is; FFmpeg reads names with % as patterns
        content = io.BytesIO(file.read())
    try:
        with av.open(content, "r", options={"format_whitelist": PICTURE_FORMATS}) as container:
            _require_pixels(container.streams.video[0].width, container.streams.video[0].height)
            frame = next(container.decode(video=0))
            return upright(frame.to_ndarray(format="rgb24"), frame.rotation)
    except (av.FFmpegError, IndexError, StopIteration, EOFError):
        raise Refusal(f"{name} is damaged, or no picture", "restore it, or leave the folder out") from None


def upright(frame: Array, degrees: int) -> Array:
    """A frame turned counterclockwise by what its file says, to the nearest quarter turn."""
    return np.rot90(frame, round(degrees / 90) % 4)


def crop_box(frame: Array, crop: Crop) -> Box:
    """The part of a frame that is read; with "subject", the part of all frames that follow this one."""
    height, width = frame.shape[:2]
    if crop == "stretch":
        return 0, 0, height, width
    return centre_box(height, width) if crop == "centre" else subject_box(frame)


def _require_pixels(width: int, height: int) -> None:
    """Raises Refusal for frames that would cost too much memory."""
    if width * height > MOST_PIXELS:
        raise Refusal(f"has frames of {width} x {height}; at most {MOST_PIXELS:,} pixels are read", "make it smaller")


if __name__ == "__main__":
    serve(lambda request: decode(Request(**request)), "video")
