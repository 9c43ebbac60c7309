"""The process that decodes videos of strangers, within limits of its own: this module, run by `python -m`.

It reads a request a line, JSON, from standard input, and answers each with a line of JSON and the frames as bytes. What
a damaged file does to it (an error, a crash, a hang, all its memory) does nothing to the process that asked.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from collections.abc import Iterator
from typing import Any, TypeVar

import av
import numpy as np

from rnnapps.tasks.video_recognition.data.config import Crop
from rnnapps.tasks.video_recognition.data.request import Request
from rnnapps.tasks.video_recognition.working_frames import Box, centre_box, subject_box, to_working_size
from rnnapps.types import Array

__all__ = ["FORMATS", "Refusal", "answer", "crop_box", "decode", "sample", "upright"]

Frame = TypeVar("Frame")

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,gif,flv,asf,ogg,h264,hevc"
"""Containers that are opened; those that name other files or addresses, such as playlists, are not among them."""

MOST_PIXELS = 4096 * 2304
MOST_DECODED = 200_000
EARLIEST_STEP = 1e-6


class Refusal(Exception):
    """Why a video is not read, and what to do about it.

    Args:
        problem: what was found.
        remedy: what the user can do about it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def decode(request: Request) -> Array:
    """The frames of a video at a fixed rate and the working size, uint8 `(frames, size, size, channels)`.

    Raises:
        Refusal: it is no video, damaged, or beyond a limit.
    """
    taken: list[Array] = []
    box: Box | None = None
    for frame, repeats in sample(_frames(request.path), request.rate, request.longest_seconds):
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


def _frames(path: str) -> Iterator[tuple[float, float, Array]]:
    """(time, seconds shown, upright frame uint8 (height, width, 3)) of the first video stream."""
    with av.open(path, options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
        if not container.streams.video:
            raise Refusal("holds no video", "leave it out")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise Refusal("holds video of a kind that cannot be decoded", "convert it to H.264")
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        _require_pixels(stream.codec_context.width, stream.codec_context.height)
        shown = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        last = None
        for number, frame in enumerate(container.decode(stream)):
            if number >= MOST_DECODED:
                raise Refusal(f"holds more than {MOST_DECODED:,} frames", "cut it into shorter videos")
            _require_pixels(frame.width, frame.height)
            time = frame.time if frame.time is not None else (0.0 if last is None else last + shown)
            last = time if last is None else max(last, time)
            yield last, shown, upright(frame.to_ndarray(format="rgb24"), frame.rotation)


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


def answer(line: bytes) -> tuple[dict[str, Any], bytes]:
    """The answer to one request: a header, and the frames as bytes."""
    try:
        frames = decode(Request(**json.loads(line)))
    except Refusal as refusal:
        return {"problem": refusal.problem, "remedy": refusal.remedy}, b""
    except MemoryError:
        return {"problem": "needs more memory than a video may take", "remedy": "make it smaller or shorter"}, b""
    except Exception as error:  # FFmpeg's errors, and whatever reading damaged names, times and sizes runs into
        reason = " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
        return {"problem": f"cannot be decoded: {reason}", "remedy": "convert it again or leave it out"}, b""
    return {"shape": frames.shape}, frames.tobytes()


def _serve(memory_bytes: int) -> None:
    """Answers requests until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    av.logging.set_level(None)
    for line in sys.stdin.buffer:
        header, content = answer(line)
        sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
