"""What holds over the time of a MIDI file: its tempo, its time signature, and the sustain pedal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from rnnapps.tasks.music_generation.data.midi_events import CONTROL, META, PEDAL, TEMPO, TIME_SIGNATURE, Event
from rnnapps.tasks.music_generation.data.placing import nearest_steps
from rnnapps.types import Array

__all__ = ["LARGEST_EXPONENT", "PEDAL_DOWN", "Timeline", "changes"]

LARGEST_EXPONENT = 7
"""A time signature counts in 2^0, whole notes, to 2^7, 128ths."""

PEDAL_DOWN = 64

Value = TypeVar("Value")


class _Pedal(NamedTuple):
    """The pedal of a channel moves.

    Attributes:
        tick: when.
        down: whether it is down from there on.
    """

    tick: int
    down: bool


class Timeline:
    """Collects it from all tracks, each with `add`."""

    def __init__(self) -> None:
        self._tempos: list[tuple[int, float]] = []
        self._bars: list[tuple[int, tuple[float, int]]] = []
        self._pedals: dict[int, list[_Pedal]] = {}

    def add(self, events: Iterable[Event]) -> None:
        """Reads a track.

        Raises:
            ValueError: a time signature counts in no note value; says which.
        """
        now = 0
        for event in events:
            now += event.delta
            if event.status == META and event.data[0] == TEMPO and any(event.data[1:4]):
                self._tempos.append((now, 6e7 / int.from_bytes(event.data[1:4], "big")))
            elif event.status == META and event.data[0] == TIME_SIGNATURE:
                numerator, exponent = event.data[1:3]
                if exponent > LARGEST_EXPONENT:
                    problem = f"a time signature of {numerator}/2^{exponent}"
                    raise ValueError(f"{problem}; denominators are 1 to {2**LARGEST_EXPONENT}")
                if numerator:
                    self._bars.append((now, (4 * numerator / 2**exponent, 2**exponent)))
            elif event.status & 0xF0 == CONTROL and event.data[0] == PEDAL:
                move = _Pedal(now, event.data[1] >= PEDAL_DOWN)
                self._pedals.setdefault(event.status & 0x0F, []).append(move)

    def sustained(self, ends: Array, channels: Array, last: Array) -> Array:
        """When notes end: where their channel's pedal is down when their key is let go, when it rises next.

        Args:
            ends: when their keys are let go, in ticks `(notes,)`.
            channels: their channels `(notes,)`.
            last: when the track of each ends `(notes,)`, which is until when those sound whose pedal never rises.
        """
        ends = ends.copy()
        for channel, moves in self._pedals.items():
            ordered = sorted(moves, key=lambda move: move.tick)
            ticks = np.array([move.tick for move in ordered])
            down = np.array([move.down for move in ordered])
            rises = np.minimum.accumulate(np.where(down, np.iinfo(np.int64).max, ticks)[::-1])[::-1]
            latest = np.searchsorted(ticks, ends, side="right") - 1
            held = (channels == channel) & (latest >= 0) & down[np.maximum(latest, 0)]
            ends = np.where(held, np.maximum(ends, np.minimum(rises[np.maximum(latest, 0)], last)), ends)
        return ends

    def tempos(self, ticks_per_beat: int, steps_per_beat: int) -> tuple[float, tuple[tuple[int, float], ...]]:
        """Quarter notes in a minute at the beginning, and (step, the same from there on) of each change."""
        first, later = changes(self._tempos, 120.0, (ticks_per_beat, steps_per_beat))
        return first, tuple(later)

    def bars(
        self, ticks_per_beat: int, steps_per_beat: int
    ) -> tuple[tuple[float, int], tuple[tuple[int, float, int], ...]]:
        """(quarter notes in a bar, note value counted in) at the beginning, and (step, the same two) of each change."""
        first, later = changes(self._bars, (4.0, 4), (ticks_per_beat, steps_per_beat))
        return first, tuple((step, *bar) for step, bar in later)


def changes(
    told: Sequence[tuple[int, Value]], default: Value, beat: tuple[int, int]
) -> tuple[Value, list[tuple[int, Value]]]:
    """The value at step 0, and (step, value) of each change; of several at a step the last holds.

    Args:
        told: (tick, value), track by track.
        default: the value before the first.
        beat: ticks and steps of a quarter note.
    """
    ordered = sorted(told, key=lambda pair: pair[0])
    steps = nearest_steps(np.array([tick for tick, _ in ordered], np.int64), *beat).tolist()
    by_step = dict(zip(steps, (value for _, value in ordered), strict=True))
    first = by_step.pop(0, default)
    later: list[tuple[int, Value]] = []
    for step, value in by_step.items():
        if value != (later[-1][1] if later else first):
            later.append((step, value))
    return first, later
