"""What a decoding process is asked. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.tasks.video_recognition.data.config import Crop, VideoDataConfig

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """What to decode, and how.

    Attributes:
        path: the file.
        rate: frames to take in a second.
        size: working size, in pixels; 0 leaves frames as they are, in colour.
        grey: one channel instead of three.
        crop: see `VideoDataConfig`.
        longest_seconds: longest video accepted.
        picture_rate: frames per second of a folder of pictures.
        start: the first second that is read.
        end: the last; None for the end of the video.
    """

    path: str
    rate: float
    size: int
    grey: bool
    crop: Crop
    longest_seconds: float
    picture_rate: float = 0.0
    start: float = 0.0
    end: float | None = None

    @classmethod
    def of(cls, path: str, config: VideoDataConfig, *, own_size: bool = False) -> Request:
        """The request for one file."""
        return cls(
            path,
            config.frames_per_second,
            0 if own_size else config.size,
            config.colour == "grey",
            config.crop,
            config.longest_seconds,
        )
