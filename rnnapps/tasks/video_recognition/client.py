"""The client's side of a served video model: a video file to the arrays of a request.

Decoding mp4 is no TensorFlow operation, so the graph takes single frames as PNG or JPEG; this module makes them. It
needs no running TensorFlow, but the `preprocessing` folder of the export (below `assets.extra`):

    video_format = VideoFormat.load("saved_models/video_recognition/1/assets.extra/preprocessing")
    request = request_arrays(video_format, "jump.mp4")
    answer = ...  # POST {"inputs": as_json(request)} to /v1/models/video_recognition:predict, take "outputs"
    answer["problem"]  # [""] where it was answered
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from rnnapps.client import Client
from rnnapps.client.content import content_of
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Array

__all__ = ["VideoClient", "as_json", "encode_gif", "encode_png", "request_arrays"]


class VideoClient(Client):
    """Asks a model that recognises what happens in videos; see `Client`."""

    def recognise(self, video: bytes | str | Path | Sequence[bytes]) -> dict[str, float]:
        """The classes and their probabilities, the likeliest first.

        Args:
            video: frames at the model's rate, each a PNG or JPEG file; or a GIF, or its path. Other files of videos
                become frames by `request_arrays`.

        Raises:
            DataError: the file cannot be read.
            ServingError: the server cannot be reached, or refuses the frames.
        """
        if isinstance(video, bytes | str | Path):
            answer = self.predict({"animations": [content_of(video)]}, "animation")
        else:
            answer = self.predict({"frames": [list(video)]})
        return dict(zip(answer["labels"][0].tolist(), answer["probabilities"][0].tolist(), strict=True))


def request_arrays(video_format: VideoFormat, path: str | Path) -> dict[str, Array]:
    """The inputs of `serving_default` for one video file: its frames at the model's rate as PNG.

    Where each frame is cropped by itself they are sent at the working size, which the graph leaves as it is; with
    `crop: subject` they keep their own size, since the graph looks for the subject.

    Raises:
        DataError: it is missing, damaged, or beyond a limit.
    """
    own_size = video_format.crop == "subject"
    config: VideoDataConfig = video_format.data_config
    with VideoDecoder(config, workers=1, own_size=own_size) as decoder:
        frames = decoder.decode(path)
    encoded = [encode_png(frame) for frame in np.broadcast_to(frames, (*frames.shape[:3], 3))]
    return {"frames": np.array([encoded], object), "lengths": np.array([len(encoded)], np.int32)}


def as_json(request: Mapping[str, Array]) -> dict[str, Any]:
    """A request as TensorFlow Serving's REST interface takes it: binary strings in base64."""

    def plain(value: object) -> object:
        if isinstance(value, list):
            return [plain(entry) for entry in value]
        return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value

    return {name: plain(array.tolist()) for name, array in request.items()}


def encode_png(picture: Array) -> bytes:
    """A picture uint8 `(height, width, 3)` as PNG, which loses nothing."""
    codec: Any = av.CodecContext.create("png", "w")
    codec.height, codec.width = picture.shape[:2]
    codec.pix_fmt, codec.time_base = "rgb24", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def encode_gif(pictures: Array, *, rate: float = 10.0) -> bytes:
    """Pictures uint8 `(frames, height, width, 3)` as an animated GIF; its colours are only similar."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="gif") as container:
        stream: Any = container.add_stream("gif", rate=Fraction(rate).limit_denominator(100))
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "rgb8"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="rgb8")))
        container.mux(stream.encode())
    return buffer.getvalue()
