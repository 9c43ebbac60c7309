"""Files with a sound track, written by FFmpeg: alone, or beside a picture."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

__all__ = ["KINDS", "tone", "write_mute", "write_track"]

KINDS = {
    "a.m4a": ("aac", 16_000, 1),
    "a.aac": ("aac", 44_100, 2),
    "a.webm": ("libopus", 48_000, 1),
    "a.mka": ("ac3", 48_000, 2),
    "a.amr": ("libopencore_amrnb", 8_000, 1),
    "a.wma": ("wmav2", 44_100, 1),
    "a.mp4": ("aac", 48_000, 2),
    "a.mkv": ("libopus", 48_000, 1),
    "a.avi": ("libmp3lame", 44_100, 1),
    "a.mov": ("pcm_s24le", 16_000, 2),
    "a.mpg": ("mp2", 44_100, 1),
    "a.3gp": ("aac", 16_000, 1),
}
"""Name -> codec, samples a second, channels."""

MOVING = (".mp4", ".mkv", ".avi", ".mov", ".mpg")


def tone(rate: int, seconds: float = 1.0) -> np.ndarray:
    """440 Hz, float32 `(samples,)`."""
    return (0.4 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def write_track(path: Path, codec: str, rate: int, channels: int, *, seconds: float = 1.0) -> Path:
    """A file with the tone, the second of two channels silent; videos with a black picture too."""
    layout = "stereo" if channels == 2 else "mono"
    planes = np.stack([tone(rate, seconds), np.zeros(round(rate * seconds), np.float32)][:channels])
    sound = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    sound.sample_rate = rate
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25) if path.suffix in MOVING else None
        stream = container.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        if codec == "wmav2":
            context.bit_rate = 64_000
        context.open()
        if picture is not None:
            _draw(container, picture)
        size = {"frame_size": context.frame_size} if context.frame_size else {}
        converter = av.AudioResampler(format=context.format.name, layout=layout, rate=rate, **size)
        for frame in [*converter.resample(sound), *converter.resample(None)]:
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_mute(path: Path) -> Path:
    """A video without a sound track."""
    with av.open(str(path), "w") as container:
        _draw(container, container.add_stream("mpeg4", rate=25))
    return path


def _draw(container: av.container.OutputContainer, stream: av.VideoStream) -> None:
    """A second of black."""
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    for _ in range(25):
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
    container.mux(stream.encode())
