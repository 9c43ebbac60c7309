"""Videos that recorders and programs write: uneven times, turned, ten bits, no length, pictures, and parts of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.client import encode_gif, encode_png
from rnnapps.tasks.video_recognition.data.clip import Clip
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.worker import within

CONFIG = VideoDataConfig(size=16, frames_per_second=10, source_rate=10)
LEVELS = np.arange(20, 220, 10)


@pytest.fixture(scope="module")
def decoder() -> Iterator[VideoDecoder]:
    with VideoDecoder(CONFIG, workers=1) as found:
        yield found


def film(
    path: Path, times: list[int], *, codec: str = "libx264", form: str = "yuv420p", rate: int = 10, ticks: int = 1000
) -> Path:
    """Frames that get brighter, of 32 x 64 pixels, each shown from a time on, in ticks of so many in a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = 32, 64, form
        stream.codec_context.time_base = Fraction(1, ticks)
        for level, time in zip(LEVELS, times, strict=False):
            picture = np.full((32, 64, 3), level, np.uint8)
            picture[:, :16] = 255 - level  # the left is told from the right
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shown(frames: np.ndarray) -> list[int]:
    """The numbers of the frames by their brightness."""
    return np.round((frames[:, 4:12, 8:].mean(axis=(1, 2, 3)) - 20) / 10).astype(int).tolist()


def test_uneven_times(decoder: VideoDecoder, tmp_path: Path) -> None:
    frames = decoder.decode(film(tmp_path / "a.mkv", [0, 100, 500, 600, 1000]))
    assert shown(frames)[:11] == [0, 1, 1, 1, 1, 2, 3, 3, 3, 3, 4]


def test_ten_bits_and_no_length(decoder: VideoDecoder, tmp_path: Path) -> None:
    steady = [100 * number for number in range(10)]
    for name, form in (("a.mp4", "yuv420p10le"), ("b.h264", "yuv420p"), ("c.ts", "yuv420p")):
        frames = decoder.decode(film(tmp_path / name, steady, form=form))
        if name != "b.h264":  # a bare stream has no times: its frames are shown at the rate its header tells
            assert shown(frames) == list(range(10)), name
        assert set(shown(frames)) <= set(range(10)) and len(set(shown(frames))) >= 4


def test_pictures_and_gif_are_the_same_video(decoder: VideoDecoder, tmp_path: Path) -> None:
    pictures = np.stack([np.full((32, 32, 3), level, np.uint8) for level in LEVELS[:12]])
    folder = tmp_path / "100% of %d"
    folder.mkdir()
    for number, picture in enumerate(pictures):
        (folder / f"{number}.png").write_bytes(encode_png(picture))
    assert shown(decoder.decode(folder)) == list(range(12))
    (tmp_path / "a.gif").write_bytes(encode_gif(pictures, rate=10.0))
    assert len(decoder.decode(tmp_path / "a.gif")) == 12
    (folder / "5.png").write_bytes(b"<svg>")
    with pytest.raises(DataError, match=r"%d: 5\.png is damaged, or no picture"):
        decoder.decode(folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="none: is not a regular file"):
        decoder.decode(tmp_path / "none")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_parts_of_videos(name: str, decoder: VideoDecoder, tmp_path: Path) -> None:
    path = film(tmp_path / name, list(range(12)), codec="mpeg4", rate=1, ticks=1)
    for start, end, wanted in (
        (0.0, 2.0, [0] * 10 + [1] * 10),
        (4.5, 6.2, [4] * 5 + [5] * 10 + [6] * 2),
        (11, 11.3, [11] * 3),
    ):
        assert shown(decoder.decode(Clip(path, start, end))) == wanted
    with pytest.raises(DataError, match=r"from 30 s to 31 s: holds no frame"):
        decoder.decode(Clip(path, 30.0, 31.0))
    with VideoDecoder(VideoDataConfig(size=16, longest_seconds=2.0), workers=1) as short:
        assert len(short.decode(Clip(path, 3.0, 4.5))) == 15


def test_frames_within_a_time_by_hand() -> None:
    frames = [(float(number), 1.0, number) for number in range(5)]

    def cut(start: float, end: float | None) -> list[tuple[float, float, int]]:
        return list(within(iter(frames), start, end))

    assert cut(0.0, None) == frames
    assert cut(1.0, 3.0) == [(1.0, 1.0, 1), (2.0, 1.0, 2)]
    assert cut(1.5, 2.25) == [(1.5, 0.5, 1), (2.0, 0.25, 2)]
    assert cut(4.5, 9.0) == [(4.5, 0.5, 4)]
    assert list(within(iter([(0.0, 0.1, 0), (2.0, 0.1, 2)]), 0.5, 1.5)) == [(0.5, 1.0, 0)]  # until the next
    assert cut(5.0, 9.0) == [] and cut(7.0, None) == []
    assert list(within(iter([]), 0.0, 1.0)) == []
