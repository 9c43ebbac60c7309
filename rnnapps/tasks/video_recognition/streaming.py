"""Videos watched as they come: the probabilities after each frame, and the moments at which the answer changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.stream_memory import Remembered, StreamMemory
from rnnapps.data.given import MEMORY
from rnnapps.data.given_rows import has_rate
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.video_recognition.data.films import HIGHEST_RATE, LOWEST_RATE, decoded_films, given_picture
from rnnapps.tasks.video_recognition.data.worker import crop_box, sample
from rnnapps.tasks.video_recognition.layers.video_network import make_step, reads_backwards, zero_video_states
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.tasks.video_recognition.working_frames import Box, to_working_size
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = ["Change", "camera_frames", "changes", "given_frames", "probabilities_over_time", "require_causal"]

if TYPE_CHECKING:
    from av.container import InputContainer

ENDLESS = 10.0**9
CAMERA_KINDS = ("v4l2", "avfoundation", "dshow", "lavfi")
"""FFmpeg's devices that `kind:name` may ask for: of Linux, macOS, Windows, and pictures that are computed."""


def require_causal(network: keras.Model) -> None:
    """Raises ConfigError for a bidirectional network, which needs a clip's end before it can say anything."""
    if reads_backwards(network):
        raise ConfigError("this model reads clips in both directions and cannot stream; train with bidirectional false")


def probabilities_over_time(
    network: keras.Model, frames: Iterable[Array], *, restart_frames: int = 0, memory: StreamMemory | None = None
) -> Iterator[Array]:
    """Probabilities `(classes,)` after each frame uint8 `(size, size, channels)`, as soon as it comes.

    Args:
        network: a unidirectional video network.
        frames: the frames.
        restart_frames: forget everything after so many frames; 0 never does.
        memory: what was seen before.

    Raises:
        ConfigError: the network is bidirectional.
    """
    require_causal(network)
    step = make_step(network)

    @tf.function(autograph=False)
    def advance(frame: Tensor, states: NamedTensors) -> tuple[Tensor, dict[str, Tensor]]:
        logits, new = step(frame[None, None], tf.constant([1]), states)
        return tf.nn.softmax(logits)[0, 0], new

    states, seen = zero_video_states(step, 1), 0
    memory = memory or StreamMemory()
    if before := memory.before("network"):
        states, seen = {name: tf.constant(array) for name, array in before.arrays.items()}, int(before.facts["seen"])
    memory.watch("network", lambda: Remembered({"seen": seen}, {name: each.numpy() for name, each in states.items()}))
    for number, frame in enumerate(frames, start=seen):
        if restart_frames and number % restart_frames == 0:
            states = zero_video_states(step, 1)
        probabilities, states = advance(tf.constant(frame), states)
        seen = number + 1
        yield np.asarray(probabilities)
        memory.passed()


@dataclass(frozen=True)
class Change:
    """A moment at which another class becomes the likeliest.

    Attributes:
        seconds: when, from the beginning of the video.
        label: the class.
        probability: its probability then, 0 to 1.
    """

    seconds: float
    label: str
    probability: float

    def printed(self) -> dict[str, Any]:
        """The same, the probability to four places."""
        return {**vars(self), "probability": round(self.probability, 4)}


def changes(
    network: keras.Model,
    video_format: VideoFormat,
    frames: Iterable[Array],
    *,
    restart_seconds: float = 0.0,
    memory: StreamMemory | None = None,
) -> Iterator[Change]:
    """The moments at which another class becomes the likeliest; arguments as for `probabilities_over_time`."""
    restart = round(restart_seconds * video_format.frames_per_second)
    memory = memory or StreamMemory()
    before = memory.before("changes")
    last, first = (int(before.facts["last"]), int(before.facts["frames"])) if before else (-1, 0)
    number = first - 1
    memory.watch("changes", lambda: Remembered({"last": last, "frames": number + 1}))
    answers = probabilities_over_time(network, frames, restart_frames=restart, memory=memory)
    for number, probabilities in enumerate(answers, start=first):
        best, changed = int(probabilities.argmax()), int(probabilities.argmax()) != last
        last = best
        if changed:
            seconds = round(number / video_format.frames_per_second, 3)
            yield Change(seconds, video_format.labels[best], float(probabilities[best]))


def given_frames(given: Any, video_format: VideoFormat, rate: float) -> Iterator[Array]:
    """Working frames of a video from Python, or of any iterable of its frames, as they come.

    Args:
        given: a file; frames uint8 `(height, width, 3)`, in an array or an iterable; or a pair of such and their rate.
        video_format: rate and size of the working frames.
        rate: frames per second of frames that come without a rate.

    Raises:
        DataError: a file is missing or damaged, or something is no frame.
    """
    place = f"{MEMORY}: input"
    if isinstance(given, str | Path):
        with contextlib.closing(decoded_films([Path(given)], video_format.data_config)) as decoded:
            _, own_frames = next(decoded)
            yield from own_frames()
        return
    frames, rate = given if has_rate(given) else (given, rate)
    if not isinstance(frames, Iterable) or isinstance(frames, bytes):
        expected = "give a path, or an iterable of frames uint8 (height, width, 3)"
        raise DataError(place, f"is of type {type(frames).__name__}", expected)
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise DataError(place, f"has {rate:g} frames a second", f"a rate is from {LOWEST_RATE:g} to {HIGHEST_RATE:g}")
    timed = (
        (number / rate, 1 / rate, given_picture(frame, f"{place}[{number}]")) for number, frame in enumerate(frames)
    )
    yield from _working(timed, video_format)


def _working(timed: Iterator[tuple[float, float, Array]], video_format: VideoFormat) -> Iterator[Array]:
    """Working frames, without end, of (time, seconds shown, frame uint8 (height, width, 3))."""
    grey = video_format.colour == "grey"
    box: Box | None = None
    for frame, repeats in sample(timed, video_format.frames_per_second, ENDLESS):
        if box is None or video_format.crop != "subject":
            box = crop_box(frame, video_format.crop)
        if repeats:
            yield from [to_working_size(frame, box, video_format.size, grey=grey)] * repeats


def camera_frames(device: str, video_format: VideoFormat, memory: StreamMemory) -> Iterator[Array]:
    """Working frames of a camera at the model's rate, without end.

    Args:
        device: a Video4Linux device such as /dev/video0, or `kind:name` with one of `CAMERA_KINDS`.
        video_format: rate and size of the frames.
        memory: is told of waiting for a frame.

    Raises:
        DataError: there is no such camera, or it is taken away.
    """
    import av

    try:
        with _opened(device) as container:
            yield from _working(_timed(container, memory), video_format)
    except av.FFmpegError as error:
        raise DataError(device, f"cannot be read as a camera: {error.strerror}", "check the device") from None


def _opened(device: str) -> InputContainer:
    """The camera, as PyAV has it."""
    import av

    kind, colon, name = device.partition(":")
    if not colon or kind not in CAMERA_KINDS:
        kind, name = "v4l2", device
        if not Path(device).exists():
            remedy = f"name a camera: /dev/video0, or kind:name, the kind one of {', '.join(CAMERA_KINDS)}"
            raise DataError(device, "does not exist", remedy)
    try:
        return av.open(name, format=kind)
    except av.FFmpegError:
        raise
    except ValueError:
        raise DataError(device, f"PyAV reads no {kind} devices on this system", "name another camera") from None


def _timed(container: InputContainer, memory: StreamMemory) -> Iterator[tuple[float, float, Array]]:
    """(time, seconds shown, frame uint8 (height, width, 3)) without end."""
    stream = container.streams.video[0]
    shown = 1 / float(stream.average_rate or 25)
    decoded = container.decode(stream)
    while True:
        with memory.waiting():
            frame = next(decoded, None)
        if frame is None:
            return
        yield float(frame.time or 0.0), shown, frame.to_ndarray(format="rgb24")
