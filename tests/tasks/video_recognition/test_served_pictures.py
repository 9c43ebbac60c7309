"""Pictures of strangers: sizes come from headers, and what is too large or damaged is the problem of its row alone."""

from __future__ import annotations

import struct
import time
import zlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.video_recognition.client import encode_gif, encode_png
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.export_config import VideoExportConfig
from rnnapps.tasks.video_recognition.picture_headers import measure_animations, picture_pixels
from rnnapps.tasks.video_recognition.served_pictures import (
    animation_problems,
    decode_animations,
    decode_pictures,
    picture_problems,
)
from rnnapps.tasks.video_recognition.video_format import VideoFormat

FORMAT = VideoFormat.of(VideoDataConfig(size=16, longest_seconds=2.0), ("a", "b"))
LIMITS = VideoExportConfig(largest_picture=10_000, largest_video=25_000)
PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def png(width: int, height: int) -> bytes:
    """A black picture, whose lines are packed as they come."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    lines = b"".join([*(packer.compress(bytes(width + 1)) for _ in range(height)), packer.flush()])
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    """A black picture, upside down where the height is negative."""
    size = -(-3 * width // 4) * 4 * abs(height)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, size, 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + size, 0, 0, 54) + head + bytes(size)


def gif(frames: int, side: int, *, own: int | None = None) -> bytes:
    """Frames that say how large they are, on a canvas that may say something else."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    extra = b"!\xf9\x04" + bytes(5)
    frame = extra + b"," + struct.pack("<HHHHB", 0, 0, own or side, own or side, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


JPEG = bytes(tf.io.encode_jpeg(PICTURE).numpy())
PROGRESSIVE = bytes(tf.io.encode_jpeg(PICTURE, progressive=True).numpy())
# A comment, a fill byte, and a preview in an application segment come before the size.
COMMENTED = (
    JPEG[:2] + b"\xff\xfe\x00\x04hi" + b"\xff" + b"\xff\xe1" + struct.pack(">H", 2 + len(JPEG)) + JPEG + JPEG[2:]
)


@pytest.mark.parametrize(
    ("content", "pixels"),
    [
        (encode_png(PICTURE), 2400),
        (png(8000, 8000), 64_000_000),
        (b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\xff" * 8, (2**31 - 1) ** 2),
        (JPEG, 2400),
        (PROGRESSIVE, 2400),
        (COMMENTED, 2400),
        (JPEG[:20], 0),
        (JPEG + b"\xff\xda" * 40, 0),
        (b"\xff\xd8" + b"\xff" * 999, 0),
        (bmp(9, 7), 63),
        (bmp(9, -7), 63),
        (encode_gif(PICTURE[None]), 0),
        (b"", 0),
        (b"no picture", 0),
    ],
)
def test_sizes_are_those_of_the_header(content: bytes, pixels: int) -> None:
    assert picture_pixels(tf.constant([b"", content, JPEG])).numpy().tolist() == [0, pixels, 2400]


def decode(rows: list[list[bytes]], lengths: list[int]) -> tuple[np.ndarray, list[str]]:
    frames, problems = GRAPH(tf.constant(rows, tf.string), tf.constant(lengths, tf.int32))
    return frames.numpy(), [problem.decode() for problem in problems.numpy()]


GRAPH: Any = tf.function(
    lambda frames, lengths: decode_pictures(FORMAT, frames, lengths, LIMITS),
    input_signature=[tf.TensorSpec((None, None), tf.string), tf.TensorSpec((None,), tf.int32)],
    autograph=False,
)
SAID = picture_problems(LIMITS)


@pytest.mark.parametrize(
    ("row", "length", "said"),
    [
        ([encode_png(PICTURE), b"junk"], 2, SAID[1]),
        ([encode_png(PICTURE), b"junk"], 1, ""),
        ([encode_png(PICTURE), encode_gif(PICTURE[None])], 2, SAID[1]),
        ([encode_png(PICTURE), png(101, 100)], 2, SAID[2]),
        ([encode_png(PICTURE), png(2000, 2000)], 2, SAID[2]),
        ([png(100, 100), png(100, 100)], 2, ""),
        ([encode_png(PICTURE), encode_png(PICTURE)[:-60]], 2, SAID[4]),
        ([encode_png(PICTURE)[:40], JPEG], 2, SAID[4]),
        ([JPEG, bmp(9, 7)[:-9]], 2, SAID[4]),
    ],
)
def test_the_row_alone_has_the_problem(row: list[bytes], length: int, said: str) -> None:
    good = [encode_png(PICTURE), JPEG]
    expected, _ = decode([good, good, good], [2, 2, 1])
    found, problems = decode([good, row, good], [2, length, 1])
    assert problems == ["", said, ""]
    np.testing.assert_array_equal(found[[0, 2]], expected[[0, 2]])
    assert not said or not found[1].any()
    np.testing.assert_array_equal(expected[:1], FORMAT.decode(tf.constant([good]), tf.constant([2])))


def test_all_frames_together_are_bounded() -> None:
    small = png(100, 100)
    assert decode([[small] * 3, [JPEG] * 3], [3, 3])[1] == [SAID[3], ""]
    assert decode([[b"junk"]], [1])[1] == [SAID[1]]


def test_a_small_file_of_a_large_picture_costs_milliseconds() -> None:
    bomb = png(8000, 8000)
    assert len(bomb) < 65_000
    began = time.perf_counter()
    assert decode([[JPEG], [bomb]], [1, 1])[1] == ["", SAID[2]]
    assert time.perf_counter() - began < 1  # decoding takes 25 s on a busy machine


def test_animations_are_measured_before_they_are_decoded() -> None:
    files = [
        gif(3, 9),
        gif(10_000, 3),
        gif(5, 60_000),
        gif(2, 3, own=60_000),
        b"no animation",
        encode_gif(PICTURE[None]),
    ]
    found = measure_animations(tf.constant(files), most_pixels=25_000, most_frames=20)
    assert found.known.numpy().tolist() == [True] * 4 + [False, True]
    pixels, frames = found.pixels.numpy().tolist(), found.frames.numpy().tolist()
    assert pixels[0] == 3 * 81 and frames[:2] == [3, 21]  # counting ends behind the limit
    assert pixels[2] == pixels[3] == 60_000**2 and frames[2] == frames[3] == 1


def test_damaged_animations_are_the_problem_of_their_row() -> None:
    good = encode_gif(np.stack([PICTURE, PICTURE[::-1]]))
    limits = VideoExportConfig(largest_picture=10_000, largest_video=3_000_000)
    said = animation_problems(FORMAT, limits)
    files = [
        good,
        b"",
        good[: len(good) // 2],
        gif(10_000, 3),
        gif(5, 60_000),
        encode_gif(np.stack([PICTURE] * 25)),
        bytes((1 << 23) + 1),
        good,
    ]
    frames, lengths, problems = decode_animations(FORMAT, tf.constant(files), limits)
    told = [problem.decode() for problem in problems.numpy()]
    assert told == ["", said[2], said[5], said[3], said[4], said[3], said[1], ""]
    assert lengths.numpy()[[0, -1]].tolist() == [2, 2] and frames.shape[1] <= 20
    expected, _ = FORMAT.decode_animations(tf.constant([good]))
    np.testing.assert_array_equal(frames.numpy()[[0, -1], :2], np.concatenate([expected] * 2))


def test_one_large_frame_of_an_animation_is_too_large_whatever_all_frames_may_have() -> None:
    large = encode_gif(np.zeros((1, 1_100, 1_100, 3), np.uint8))
    assert len(large) < 3_000
    limits = VideoExportConfig(largest_picture=1_000_000, largest_video=100_000_000)
    said = animation_problems(FORMAT, limits)[-1]
    files = [encode_gif(PICTURE[None]), large, encode_gif(np.stack([PICTURE] * 3))]
    _, lengths, problems = decode_animations(FORMAT, tf.constant(files), limits)
    assert problems.numpy().tolist() == [b"", said.encode(), b""]
    assert lengths.numpy().tolist() == [1, 1, 3]
