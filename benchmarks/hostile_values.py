"""Rows that a stranger may send: values of every kind, files that cost more than they weigh, and broken copies."""

from __future__ import annotations

import functools
import struct
import zlib
from typing import Any

import numpy as np

from rnnapps.types import Array

__all__ = ["hostile_array", "special_files"]

MEGABYTE = 1 << 20


def hostile_array(draw: np.random.Generator, array: Array, row: int) -> Array:
    """A copy of an input `(batch, ...)` whose row holds something bad, in one place or in all."""
    changed = array.copy()
    places = changed[row : row + 1]
    if changed.dtype == object:
        example = next((item for item in places.ravel().tolist() if item), b"")
        if draw.random() < 0.5:
            places[...] = _text(draw, example)
        else:
            flat = places.reshape(-1)
            flat[draw.integers(max(1, flat.size)) if flat.size else slice(0)] = _text(draw, example)
            places[...] = flat.reshape(places.shape)
        return changed
    if changed.dtype == bool or not places.size:
        return changed
    value = _number(draw, changed.dtype)
    if draw.random() < 0.5:
        places[...] = value
    else:
        places.reshape(-1)[draw.integers(places.size)] = value
    return changed


def _number(draw: np.random.Generator, dtype: Any) -> float | int:
    """A number of a type that may do harm."""
    if dtype.kind == "f":
        largest = float(np.finfo(dtype).max)
        floats = (np.nan, np.inf, -np.inf, largest, -largest, 1e38, -1e38, 1e30, 1e20, -1.0, 0.0, 1e-45, -1e-30)
        return floats[draw.integers(len(floats))]
    limits = np.iinfo(dtype)
    values = (0, 1, -1, 2, 7, -5, 100, -100, 5_000, 65_536, 10**6, -(10**6), limits.min, limits.max, limits.max - 1)
    return int(np.clip(values[draw.integers(len(values))], limits.min, limits.max))


def _text(draw: np.random.Generator, example: bytes) -> bytes:
    """Bytes that are no good, or may not be."""
    files = special_files(example[:4])
    kind = draw.integers(10)
    if kind == 0:
        return b""
    if kind == 1:
        return draw.bytes(int(draw.integers(1, 400)))
    if kind == 2 and draw.random() < 0.1:
        return (b"a", "\u00e4".encode(), b"\xff", b" ", b"\n", b"ab ")[draw.integers(6)] * (MEGABYTE // 2)
    if kind == 3 and files and draw.random() < 0.5:
        return files[draw.integers(len(files))]
    if kind == 4:
        return example[: int(draw.integers(len(example) + 1))]
    return _mutated(draw, example)


def _mutated(draw: np.random.Generator, example: bytes) -> bytes:
    """A copy with a few bytes changed, mostly of its header."""
    content = bytearray(example or b"x")
    for _ in range(int(draw.integers(1, 6))):
        end = min(len(content), 64) if draw.random() < 0.6 else len(content)
        content[int(draw.integers(end))] = int(draw.choice([0, 1, 0x7F, 0x80, 0xFF, int(draw.integers(256))]))
    return bytes(content)


@functools.cache
def special_files(example: bytes) -> list[bytes]:
    """Files of the kind that the first bytes of an example say, which cost much, or claim what they do not hold."""
    if example[:4] == b"RIFF":
        return [
            _wav(1_000, b"\x00\x10" * 1_000_000),
            _wav(1_000, b"\x00\x10" * (5 * MEGABYTE // 2)),
            _wav(8_000, b""),
            _wav(384_000, b"\x00\x10" * MEGABYTE),
            _wav(44_104, b"\x00\x10" * 50_000),
            _wav(16_000, b"\x00\x10" * 8_000, claimed=0xFFFF_FFFF),
            _wav(8_000, b"\x00\x10" * 4_000, claimed=0x7FFF_F000),
            _wav(8_000, b"\x00\x10" * 4_000, claimed=9_000),
            _wav(8_000, bytes(17 * MEGABYTE)),
        ]
    if example[:4] == b"MThd":
        track = b"\x00\x90\x40\x40\x10\x80\x40\x00"
        busy = b"".join(bytes((0, 0x90, 21 + key % 88, 64)) for key in range(60_000))
        return [_midi(track * (300 * 128)), _midi(track * 31_000), _midi(busy), _midi(b"\x8f\xff\xff\x7f\x90\x40\x40")]
    if example[:4] in (b"\x89PNG", b"GIF8") or example[:2] == b"\xff\xd8":
        return [
            _png(8_000, 8_000),
            _png(2_000, 2_000),
            _png(9, 9)[:16] + b"\0\0\xff\xff" * 2 + _png(9, 9)[24:],
            _gif(10_000, 1),
            _gif(3, 60_000),
            _gif(2, 9),
        ]
    return []


def _wav(rate: int, samples: bytes, *, claimed: int | None = None) -> bytes:
    """A WAV file of 16 bits and one channel."""
    size = len(samples) if claimed is None else claimed
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", min(36 + size, 0xFFFF_FFFF), b"WAVE")
        + form
        + struct.pack("<4sI", b"data", size)
        + samples
    )


def _midi(track: bytes) -> bytes:
    """A file of one track."""
    whole = track + b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(whole)) + whole


def _png(width: int, height: int) -> bytes:
    """A black picture, grey of 8 bits; one line is packed, as many times as there are lines, for the sake of memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, lines = zlib.compressobj(9), []
    for _ in range(height):
        lines.append(packer.compress(bytes(width + 1)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", b"".join([*lines, packer.flush()]))
        + chunk(b"IEND", b"")
    )


def _gif(frames: int, side: int) -> bytes:
    """Frames of one colour; those of large sides are cut off after their first codes."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"
