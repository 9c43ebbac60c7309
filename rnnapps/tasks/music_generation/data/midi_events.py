"""The events of one track of a Standard MIDI File."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CONTROL", "META", "NOTE_OFF", "NOTE_ON", "PEDAL", "TEMPO", "TIME_SIGNATURE", "Event", "track_events"]

NOTE_OFF, NOTE_ON, CONTROL = 0x80, 0x90, 0xB0
PEDAL = 64
"""Number of the controller that is the sustain pedal; it is down from the value 64 on."""

SYSTEM_EXCLUSIVE, ESCAPE, META = 0xF0, 0xF7, 0xFF
TEMPO, TIME_SIGNATURE = 0x51, 0x58
"""Types of meta events."""

SHORTEST = {TEMPO: 3, TIME_SIGNATURE: 2}
"""Bytes that a meta event of a type must have to mean something."""

CUT_OFF = "it ends in the middle of an event"


class Event(NamedTuple):
    """One event.

    Attributes:
        delta: ticks since the event before.
        status: the status byte, a running one too.
        data: its data bytes; of a meta event the type byte before them.
    """

    delta: int
    status: int
    data: bytes


def track_events(chunk: bytes) -> Iterator[Event]:
    """Reads the body of a track.

    A running status goes on after meta and system exclusive events, as many programs write it.

    Args:
        chunk: what follows the length of an MTrk chunk.

    Raises:
        ValueError: the track is damaged; says how.
    """
    position, running = 0, 0
    while position < len(chunk):
        delta, position = _number(chunk, position)
        status = _bytes(chunk, position, 1)[0]
        if status < 0x80:
            if not running:
                raise ValueError(f"data byte {status} where an event should begin")
            status = running
        else:
            position += 1
        if status < SYSTEM_EXCLUSIVE:
            running, size = status, 1 if 0xC0 <= status < 0xE0 else 2
            data = _bytes(chunk, position, size)
            if max(data) > 127:
                raise ValueError(f"data byte {max(data)}; expected 0 to 127")
        elif status in (SYSTEM_EXCLUSIVE, ESCAPE, META):
            kind = _bytes(chunk, position, 1 if status == META else 0)
            length, position = _number(chunk, position + len(kind))
            data, size = kind + _bytes(chunk, position, length), length
            if status == META and length < SHORTEST.get(kind[0], 0):
                raise ValueError(f"meta event {kind[0]:#04x} of {length} bytes; expected {SHORTEST[kind[0]]}")
        else:
            raise ValueError(f"status byte {status:#04x}, which no MIDI file holds")
        position += size
        yield Event(delta, status, data)


def _number(chunk: bytes, position: int) -> tuple[int, int]:
    """A number of one to four bytes, 7 bits each, and the place behind it."""
    number = 0
    for end, byte in enumerate(chunk[position : position + 4], start=position + 1):
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, end
    raise ValueError("a number of more than four bytes" if position + 4 <= len(chunk) else CUT_OFF)


def _bytes(chunk: bytes, position: int, size: int) -> bytes:
    """So many bytes; raises ValueError where the track ends before they do."""
    if position + size > len(chunk):
        raise ValueError(CUT_OFF)
    return chunk[position : position + size]
