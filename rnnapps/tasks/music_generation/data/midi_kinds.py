"""MIDI files of rare kinds made ordinary ones: the wrapping of Windows, patterns (type 2), and time code (SMPTE)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.midi_events import META, TEMPO, track_events

__all__ = ["ordinary_midi"]

DEFAULT_TEMPO = 500_000
"""Microseconds of a quarter note where none are told."""

DROP_FRAMES = 29
"""Of the rates that time code may have, 29 stands for 29.97 frames a second."""

PATTERNS = 2
MOST_TICKS = 0x0FFF_FFFF

Track = tuple[int, int]
"""Where the body of a track begins and ends."""


def ordinary_midi(content: bytes, name: str | Path) -> bytes:
    """A file of type 0 or 1 in beats that sounds the same; any other content as it is.

    The tracks of type 2 are patterns, which follow each other. Time code knows no beats: a quarter note is as long as
    the file's tempo says, or half a second.

    Args:
        content: of a file.
        name: what to call it in errors.

    Raises:
        DataError: its tempo changes over time code.
    """
    if content[:4] == b"RIFF" and content[8:16] == b"RMIDdata":
        content = content[20 : 20 + int.from_bytes(content[16:20], "little")]
    if content[:4] != b"MThd" or len(content) < 14:
        return content
    kind, division = (int.from_bytes(content[first : first + 2], "big") for first in (8, 12))
    try:
        if division >= 0x8000:
            content = _in_beats(content, name)
        return _one_after_another(content) if kind == PATTERNS else content
    except ValueError:
        return content  # it is damaged: whoever reads it says where


def _tracks(content: bytes) -> Iterator[Track]:
    """The bodies of the tracks, as far as they go."""
    position = 8 + int.from_bytes(content[4:8], "big")
    while position + 8 <= len(content):
        end = position + 8 + int.from_bytes(content[position + 4 : position + 8], "big")
        if content[position : position + 4] == b"MTrk":
            yield position + 8, end
        position = end


def _in_beats(content: bytes, name: str | Path) -> bytes:
    """A file with ticks of a quarter note in place of frames of a second."""
    frames, ticks = 256 - content[12], content[13]
    told = {
        int.from_bytes(event.data[1:4], "big")
        for begin, end in _tracks(content)
        for event in track_events(content[begin:end])
        if event.status == META and event.data[0] == TEMPO
    } - {0}
    if len(told) > 1:
        raise DataError(name, f"has {len(told)} tempos over time code, which has no beats", "save it in beats")
    rate = 30_000 / 1001 if frames == DROP_FRAMES else frames
    division = round(rate * ticks * next(iter(told), DEFAULT_TEMPO) / 1e6)
    if not 0 < division < 0x8000:
        raise DataError(name, f"byte 12: has {frames} frames of {ticks} ticks in a second", "save it in beats")
    return content[:12] + division.to_bytes(2, "big") + content[14:]


def _one_after_another(content: bytes) -> bytes:
    """A file of type 1 whose tracks begin where those before them ended."""
    parts, copied, before = [content[:8], (1).to_bytes(2, "big"), content[10:12], content[12:14]], 14, 0
    for begin, end in _tracks(content):
        body = content[begin:end]
        events = list(track_events(body))
        delta = events[0].delta if events else 0
        size = _size_of_number(body)
        if before + delta > MOST_TICKS:
            raise ValueError("too many ticks")
        moved = _number(before + delta) + body[size:]
        parts += [content[copied : begin - 4], len(moved).to_bytes(4, "big"), moved]
        copied, before = end, before + sum(event.delta for event in events)
    return b"".join([*parts, content[copied:]])


def _size_of_number(body: Sequence[int]) -> int:
    """Bytes of the number that a track begins with."""
    return next((place for place, byte in enumerate(body, start=1) if byte < 0x80), len(body))


def _number(value: int) -> bytes:
    """A number, 7 bits in a byte, all but the last with the eighth."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))
