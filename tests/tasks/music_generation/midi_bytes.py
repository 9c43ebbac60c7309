"""Synthetic MIDI files, written byte by byte without the library under test."""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["file_of", "mutate", "note_track", "scales", "variable_length", "write_scales"]


def variable_length(number: int) -> bytes:
    """A number as MIDI writes delta times: 7 bits a byte, the last without the high bit."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def note_track(events: list[tuple[int, int, int, int]]) -> bytes:
    """A track of (delta ticks, status, data, data)."""
    body = b"".join(variable_length(delta) + bytes(rest) for delta, *rest in events) + b"\x00\xff\x2f\x00"
    return b"MTrk" + len(body).to_bytes(4, "big") + body


def file_of(*tracks: bytes, ticks: int = 480, kind: int = 1, count: int | None = None) -> bytes:
    numbers = (kind, len(tracks) if count is None else count, ticks)
    return b"MThd\x00\x00\x00\x06" + b"".join(number.to_bytes(2, "big") for number in numbers) + b"".join(tracks)


def scales(first: int, *, notes: int = 16, ticks: int = 480) -> bytes:
    """A major scale up and down from a pitch, over a held bass: what comes next is certain."""
    steps = (0, 2, 4, 5, 7, 9, 11, 12, 12, 11, 9, 7, 5, 4, 2, 0)
    events = [(0, 0x90, first - 12, 80)]
    for number in range(notes):
        pitch = first + steps[number % 16]
        events += [(0, 0x90, pitch, 64), (ticks, 0x80, pitch, 0)]
    return file_of(note_track([*events, (0, 0x80, first - 12, 0)]), ticks=ticks)


def write_scales(folder: Path, count: int = 12) -> Path:
    """A folder of scales from different notes."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(0)
    for number in range(count):
        (folder / f"{number:02}.mid").write_bytes(scales(draw.randint(45, 70), notes=16 + 16 * (number % 2)))
    return folder


def mutate(content: bytes, draw: random.Random) -> bytes:
    """A damaged copy: bytes changed, cut out, put in or doubled; often inside the track, its length kept right."""
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 5)):
        place = draw.randrange(22 if draw.random() < 0.8 and len(damaged) > 30 else 0, max(len(damaged), 23))
        kind = draw.randrange(4)
        if kind == 0:
            damaged[place : place + 1] = bytes((draw.randrange(256),))
        elif kind == 1:
            del damaged[place : place + draw.randint(1, 9)]
        elif kind == 2:
            damaged[place:place] = draw.randbytes(draw.randint(1, 9))
        else:
            damaged[place:place] = damaged[place : place + draw.randint(1, 40)]
    if draw.random() < 0.8:
        damaged[18:22] = max(len(damaged) - 22, 0).to_bytes(4, "big")
    return bytes(damaged)
