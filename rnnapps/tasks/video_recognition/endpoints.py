"""Signatures of video models. Decoding mp4 is no TensorFlow operation: clients send frames, see `client`."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.export.row_rules import between, lengths_fit
from rnnapps.printable import name_list
from rnnapps.tasks.video_recognition.export_config import VideoExportConfig
from rnnapps.tasks.video_recognition.layers.video_network import make_step, reads_backwards, zero_video_states
from rnnapps.tasks.video_recognition.scoring import clip_probabilities
from rnnapps.tasks.video_recognition.served_pictures import (
    animation_problems,
    decode_animations,
    decode_pictures,
    most_frames,
    picture_problems,
)
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Array, Tensor

__all__ = ["video_endpoints"]

ROWS, FRAMES = 5, 6
MOST_SEEN = 1 << 30


def video_endpoints(network: keras.Model, video_format: VideoFormat, limits: VideoExportConfig) -> dict[str, Endpoint]:
    """`serving_default` takes encoded frames, `animation` GIFs, `tensors` working frames.

    `step` goes on from states by working frames; only unidirectional networks have it.
    """
    endpoints = {
        "serving_default": _encoded(network, video_format, limits),
        "animation": _animated(network, video_format, limits),
        "tensors": _tensors(network, video_format),
    }
    if not reads_backwards(network):
        endpoints["step"] = _step(network, video_format)
    return endpoints


def _encoded(network: keras.Model, video_format: VideoFormat, limits: VideoExportConfig) -> Endpoint:
    """Encoded pictures in, classes out."""

    def recognise(frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        pictures, problem = decode_pictures(video_format, frames, lengths, limits)
        probabilities = clip_probabilities(network, pictures, lengths, video_format.clip_frames)
        return {**_answer(probabilities, video_format), "problem": problem}

    signature = {"frames": tf.TensorSpec((None, None), tf.string), "lengths": tf.TensorSpec((None,), tf.int32)}
    pictures = [[_encode(picture, row) for picture in pictures] for row, pictures in enumerate(_pictures())]
    examples = {"frames": np.array(pictures, object), "lengths": _lengths()}
    rules, most = _frame_rules(video_format)
    problems = picture_problems(limits)[1:]
    return Endpoint(
        recognise,
        signature,
        examples,
        rules=rules,
        most_steps=most,
        found_problems=problems,
        summary="Encoded frames of videos in, the likeliest classes out.",
        meanings=_meanings(video_format, frames=f"PNG, JPEG or BMP files (batch, time){_rate(video_format)}"),
    )


def _animated(network: keras.Model, video_format: VideoFormat, limits: VideoExportConfig) -> Endpoint:
    """GIFs in, classes out."""

    def recognise(animations: Tensor) -> dict[str, Tensor]:
        frames, lengths, problem = decode_animations(video_format, animations, limits)
        probabilities = clip_probabilities(network, frames, lengths, video_format.clip_frames)
        return {**_answer(probabilities, video_format), "problem": problem}

    files = [_gif(pictures[: max(2, length)]) for pictures, length in zip(_pictures(), _lengths(), strict=True)]
    return Endpoint(
        recognise,
        {"animations": tf.TensorSpec((None,), tf.string)},
        {"animations": np.array(files, object)},
        found_problems=animation_problems(video_format, limits)[1:],
        summary="Animated GIFs in, the likeliest classes out.",
        meanings=_meanings(video_format) | {"animations": f"GIF files (batch,){_rate(video_format)}"},
    )


def _tensors(network: keras.Model, video_format: VideoFormat) -> Endpoint:
    """Working frames in, probabilities out."""

    def recognise(frames: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        return {"probabilities": clip_probabilities(network, frames, lengths, video_format.clip_frames)}

    rules, most = _frame_rules(video_format)
    examples = {"frames": _working(video_format), "lengths": _lengths()}
    return Endpoint(
        recognise,
        _working_frames(video_format),
        examples,
        rules=rules,
        most_steps=most,
        summary="Frames of the model's own size in, probabilities of all classes out.",
        meanings=_meanings(video_format)
        | {"probabilities": f"of each class (batch, classes); {_classes(video_format)}"},
    )


def _step(network: keras.Model, video_format: VideoFormat) -> Endpoint:
    """Working frames and states in, the probabilities after each frame and new states out."""
    advance = make_step(network)
    specs = advance.state_specs()

    def step(frames: Tensor, lengths: Tensor, **states: Tensor) -> dict[str, Tensor]:
        logits, new = advance(frames, lengths, {name: states[f"state_{name}"] for name in specs})
        inside = tf.sequence_mask(lengths, tf.shape(frames)[1])[..., None]
        probabilities = tf.where(inside, tf.nn.softmax(logits), 0.0)
        return {"probabilities": probabilities, **{f"next_state_{name}": value for name, value in new.items()}}

    signature = _working_frames(video_format) | {f"state_{name}": spec for name, spec in specs.items()}
    frames = _working(video_format)
    _, states = advance(tf.constant(frames[:, :1]), tf.ones([ROWS], tf.int32), zero_video_states(advance, ROWS))
    examples = {"frames": frames[:, 1:4], "lengths": np.array([3, 1, 2, 3, 0], np.int32)}
    examples |= {f"state_{name}": value.numpy() for name, value in states.items()}
    (fit,), most = _frame_rules(video_format, least=0)
    probabilities = f"of each class after each frame (batch, time, classes); {_classes(video_format)}"
    return Endpoint(
        step,
        signature,
        examples,
        rules=(fit, *(between(f"state_{name}", 0, MOST_SEEN) for name in specs if name.endswith("seen"))),
        one_step=True,
        most_steps=most,
        summary="The next frames of videos and states in, probabilities after each frame and new states out.",
        meanings=_meanings(video_format) | {"probabilities": probabilities},
    )


def _meanings(video_format: VideoFormat, *, frames: str = "") -> dict[str, str]:
    """What inputs and outputs are."""
    grey = "grey" if video_format.channels == 1 else "red, green and blue"
    working = f"pixels from 0 to 255 (batch, time, height, width, channels), {grey}{_rate(video_format)}"
    return {
        "frames": frames or working,
        "label": "the likeliest class (batch,)",
        "probability": "its probability (batch,)",
        "labels": "all classes, the likeliest first (batch, classes)",
        "probabilities": "their probabilities (batch, classes)",
    }


def _rate(video_format: VideoFormat) -> str:
    return f", {video_format.frames_per_second:g} a second"


def _classes(video_format: VideoFormat) -> str:
    """The classes in the order of the network's outputs."""
    return name_list(video_format.labels)


def _answer(probabilities: Tensor, video_format: VideoFormat) -> dict[str, Tensor]:
    """The likeliest class and its probability, and the names and probabilities of all, the likeliest first."""
    order = tf.argsort(probabilities, axis=-1, direction="DESCENDING", stable=True)
    labels = tf.gather(tf.constant(list(video_format.labels)), order)
    ordered = tf.gather(probabilities, order, batch_dims=1)
    return {"label": labels[:, 0], "probability": ordered[:, 0], "labels": labels, "probabilities": ordered}


def _working_frames(video_format: VideoFormat) -> dict[str, tf.TensorSpec]:
    """Inputs: working frames, and how many of each row count."""
    frames = tf.TensorSpec((None, None, *video_format.frame_shape), tf.uint8)
    return {"frames": frames, "lengths": tf.TensorSpec((None,), tf.int32)}


def _frame_rules(video_format: VideoFormat, *, least: int = 1) -> tuple[tuple[RowRule, ...], dict[str, int]]:
    """What must hold of the number of frames, and how many are read."""
    most = most_frames(video_format)
    return (lengths_fit("frames", least=least, most=most),), {"frames": most}


def _lengths() -> Array:
    """Of the example rows, int32 `(rows,)`."""
    return np.array([FRAMES, 1, 3, FRAMES, 2], np.int32)


def _pictures() -> Array:
    """Synthetic pictures uint8 `(rows, frames, 48, 64, 3)`: a bright square that moves another way in each row."""
    pictures = np.full((ROWS, FRAMES, 48, 64, 3), 10, np.uint8)
    for row in range(ROWS):
        for frame in range(FRAMES):
            top, left = 8 + 4 * frame * (row % 2), 12 + 5 * frame * (row % 3)
            pictures[row, frame, top : top + 12, left : left + 8] = 120 + 20 * row
    return pictures


def _working(video_format: VideoFormat) -> Array:
    """`_pictures` as working frames."""
    encoded = [[_encode(picture, 0) for picture in pictures] for pictures in _pictures()]
    return np.asarray(video_format.decode(tf.constant(encoded), tf.fill([ROWS], FRAMES)))


def _encode(picture: Array, row: int) -> bytes:
    """A picture as PNG, or as JPEG in every other row."""
    return bytes((tf.io.encode_jpeg if row % 2 else tf.io.encode_png)(picture).numpy())


def _gif(pictures: Array) -> bytes:
    from rnnapps.tasks.video_recognition.client import encode_gif

    return encode_gif(pictures)
