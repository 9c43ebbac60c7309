"""A piece of music as notes on a grid of steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnapps.types import Array

__all__ = ["HIGHEST_KEY", "KEYS", "LOWEST_KEY", "NOTE_FIELDS", "Piece", "joined_notes"]

LOWEST_KEY, HIGHEST_KEY = 21, 108
"""MIDI numbers of the lowest and the highest key of a piano."""

KEYS = HIGHEST_KEY - LOWEST_KEY + 1
NOTE_FIELDS = ("start", "end", "pitch", "velocity")


@dataclass(frozen=True)
class Piece:
    """Notes on a grid.

    Attributes:
        notes: int32 `(notes, 4)`: first step, step after the last, MIDI pitch, and velocity of each note, in the order
            of start and pitch. Notes of one pitch do not overlap; a note that follows another without a gap is struck
            again.
        name: what to call the piece.
        tempo_bpm: quarter notes in a minute, at its beginning.
        beats_per_bar: quarter notes in a bar, at its beginning.
        beat_unit: note value that its time signature counts in, at its beginning: 4 for quarters, 8 for eighths.
        tempo_changes: (step, quarter notes in a minute from there on), in the order of the steps, from 1.
        bar_changes: (step, quarter notes in a bar from there on, note value that its time signature counts in), too.
        remarks: what was noticed while it was read, for people.
    """

    notes: Array
    name: str = ""
    tempo_bpm: float = 120.0
    beats_per_bar: float = 4.0
    beat_unit: int = 4
    tempo_changes: tuple[tuple[int, float], ...] = ()
    bar_changes: tuple[tuple[int, float, int], ...] = ()
    remarks: tuple[str, ...] = ()

    def content(self) -> Array:
        """The notes."""
        return self.notes

    @property
    def steps(self) -> int:
        """Steps until the last note has ended."""
        return int(self.notes[:, 1].max(initial=0))

    @property
    def last_beats_per_bar(self) -> float:
        """Quarter notes in a bar, at its end."""
        return self.bar_changes[-1][1] if self.bar_changes else self.beats_per_bar

    def bar_line(self, bars: int, steps_per_beat: int) -> int:
        """The step at which so many bars have passed; a first bar shorter than the next, a pickup, comes on top."""
        signatures = [(0, self.beats_per_bar), *(change[:2] for change in self.bar_changes)]
        line, left, number = 0.0, bars, 0
        if len(signatures) > 1 and signatures[1][0] == round(signatures[0][1] * steps_per_beat):
            left += signatures[0][1] < signatures[1][1]
        while left:
            while number + 1 < len(signatures) and signatures[number + 1][0] <= line:
                number += 1
            line += signatures[number][1] * steps_per_beat
            if number + 1 < len(signatures):
                line = min(line, signatures[number + 1][0])  # a change of signature begins a bar
            left -= 1
        return max(1, round(line))

    def seconds(self, steps_per_beat: int) -> Array:
        """When each step begins, in seconds, and when the last one ends: float64 `(steps + 1,)`."""
        tempo = np.full(self.steps, self.tempo_bpm)
        for step, changed in self.tempo_changes:
            tempo[step:] = changed
        return np.concatenate([[0.0], np.cumsum(60.0 / tempo / steps_per_beat)])

    def beginning(self, steps: int) -> Piece:
        """The piece up to a step; notes that sound then are cut off there."""
        kept = self.notes[self.notes[:, 0] < steps].copy()
        kept[:, 1] = np.minimum(kept[:, 1], steps)
        tempos, bars = self.tempo_changes, self.bar_changes
        return replace(
            self,
            notes=kept,
            tempo_changes=tuple(change for change in tempos if change[0] < steps),
            bar_changes=tuple(change for change in bars if change[0] < steps),
        )

    def transposed(self, semitones: int) -> Piece:
        """The piece so many semitones higher; the caller sees to it that all keys exist."""
        return replace(self, notes=self.notes + np.array([0, 0, semitones, 0], np.int32))

    def room(self, semitones: int) -> tuple[int, int]:
        """The lowest and highest transposition, at most `semitones` either way, that leaves no note off the piano."""
        if not len(self.notes):
            return 0, 0
        low, high = int(self.notes[:, 2].min()), int(self.notes[:, 2].max())
        return max(-semitones, LOWEST_KEY - low), min(semitones, HIGHEST_KEY - high)


def joined_notes(notes: Array) -> Array:
    """Brings notes into the form that `Piece` describes.

    Notes of one pitch that start together become one, as long as the longest and as loud as the loudest. A note struck
    while the same pitch still sounds ends the sounding one there and sounds at least as long as it would have.

    Args:
        notes: integers `(notes, 4)` in any order; every end is greater than its start.
    """
    rows: list[list[int]] = []
    last: list[int] = []
    for start, end, pitch, velocity in sorted(notes.tolist(), key=lambda note: (note[2], note[0])):
        if last and last[2] == pitch and last[0] == start:
            last[1], last[3] = max(last[1], end), max(last[3], velocity)
            continue
        if last and last[2] == pitch and last[1] > start:
            end, last[1] = max(end, last[1]), start
        last = [start, end, pitch, velocity]
        rows.append(last)
    joined = np.array(rows, np.int32).reshape(-1, 4)
    return joined[np.lexsort((joined[:, 2], joined[:, 0]))]
