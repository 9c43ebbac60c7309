from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data import guarded_process
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.file import write_mp4
from tests.tasks.video_recognition.video_files import moving_square

POPEN = subprocess.Popen
CONFIG = VideoDataConfig(size=16, frames_per_second=10)


@pytest.fixture(scope="module")
def decoder():
    with VideoDecoder(CONFIG, workers=1) as found:
        yield found


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "square.mp4"
    write_mp4(path, moving_square("right"), rate=10)
    return path


def test_frames_come_back_as_they_were_written(decoder: VideoDecoder, video: Path) -> None:
    found = decoder.decode(video)
    written = moving_square("right").astype(float).mean(axis=-1)
    expected = written.reshape(12, 16, 2, 16, 2).mean(axis=(2, 4))  # near what a triangle of two pixels gives
    assert found.shape == (12, 16, 16, 1) and found.dtype == np.uint8
    assert np.abs(found[..., 0] - expected).mean() < 8
    centres = [np.average(np.arange(16), weights=np.maximum(frame[..., 0].sum(axis=0) - 400.0, 0)) for frame in found]
    assert np.all(np.diff(centres) > 0)


def test_rate_and_colour(video: Path) -> None:
    with VideoDecoder(VideoDataConfig(size=16, frames_per_second=5, colour="rgb"), workers=1) as slower:
        assert slower.decode(video).shape == (6, 16, 16, 3)


def test_many_files_keep_their_order(video: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{frames}.mp4" for frames in (3, 9, 2, 7, 5, 4)]
    for path in paths:
        write_mp4(path, moving_square("left", frames=int(path.stem)), rate=10)
    with VideoDecoder(CONFIG) as pool:
        assert [len(frames()) for frames in pool.decode_all(paths)] == [3, 9, 2, 7, 5, 4]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "cannot be decoded"),
        (b"just text", "cannot be decoded"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "cannot be decoded"),
        (b"ffconcat version 1.0\nfile square.mp4\n", "cannot be decoded"),
    ],
)
def test_what_is_no_video_is_said_in_one_line(
    content: bytes, complaint: str, decoder: VideoDecoder, tmp_path: Path
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint) as raised:
        decoder.decode(path)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_missing_files_and_long_videos(decoder: VideoDecoder, video: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.mp4: does not exist"):
        decoder.decode(tmp_path / "none.mp4")
    with pytest.raises(DataError, match="is not a regular file"):
        decoder.decode(tmp_path)
    with (
        VideoDecoder(VideoDataConfig(size=16, longest_seconds=1.0), workers=1) as short,
        pytest.raises(DataError, match=r"lasts longer than 1 s; cut it, or raise --data\.longest"),
    ):
        short.decode(video)


def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read(video: Path) -> None:
    with VideoDecoder(CONFIG, workers=1, seconds=0.0) as hasty:
        with pytest.raises(DataError, match="the decoder took too long"):
            hasty.decode(video)
        hasty.seconds = 60.0
        assert len(hasty.decode(video)) == 12


def test_a_crash_is_a_line_and_the_next_file_is_read(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = [sys.executable, "-c", "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 11)"]
    with VideoDecoder(CONFIG, workers=1) as pool:
        with monkeypatch.context() as patch:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            patch.setattr(guarded_process.subprocess, "Popen", lambda *_, **__: POPEN(crash, **pipes))
            with pytest.raises(DataError, match="the decoder crashed with SIGSEGV"):
                pool.decode(video)
        assert len(pool.decode(video)) == 12


def mutate(content: bytes, draw: random.Random) -> bytes:
    """A damaged copy: bytes changed, cut out, put in or doubled, more often in the tables at either end."""
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        end = draw.choice((64, len(damaged), len(damaged)))
        place = draw.randrange(max(1, min(end, len(damaged))))
        if draw.random() < 0.4:
            place = max(0, len(damaged) - 1 - draw.randrange(900))
        kind = draw.randrange(5)
        if kind <= 1:
            damaged[place : place + 1] = bytes((draw.randrange(256),))
        elif kind == 2:
            del damaged[place : place + draw.randint(1, 20)]
        elif kind == 3:
            damaged[place:place] = draw.randbytes(draw.randint(1, 9))
        else:
            damaged[place : place + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))
    return bytes(damaged)


def fuzz(content: bytes, folder: Path, count: int, seed: int) -> tuple[int, int]:
    """Returns (valid, refused) of mutated files; anything but frames or a DataError of one line fails."""
    draw, valid = random.Random(seed), 0
    with VideoDecoder(CONFIG, workers=1, seconds=60.0) as pool:
        for number in range(count):
            path = folder / "mutated.mp4"
            path.write_bytes(mutate(content, draw))
            try:
                frames = pool.decode(path)
            except DataError as error:
                assert str(error).startswith(str(path)) and "\n" not in str(error), number
                continue
            valid += 1
            assert frames.dtype == np.uint8 and frames.shape[1:] == (16, 16, 1) and 1 <= len(frames) <= 1200
    return valid, count - valid


def test_mutated_files_are_frames_or_clear_errors(video: Path, tmp_path: Path) -> None:
    valid, refused = fuzz(video.read_bytes(), tmp_path, 60, seed=1)
    assert valid > 5 and refused > 5  # both kinds are met


@pytest.mark.slow
def test_a_thousand_mutated_files_are_frames_or_clear_errors(video: Path, tmp_path: Path) -> None:
    valid, refused = fuzz(video.read_bytes(), tmp_path, 1200, seed=2)
    assert valid > 100 and refused > 100
