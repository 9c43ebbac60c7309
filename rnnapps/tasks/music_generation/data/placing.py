"""Notes in ticks, moved to the steps of a grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.piece import HIGHEST_KEY, LOWEST_KEY, joined_notes
from rnnapps.types import Array

__all__ = ["nearest_steps", "on_grid", "placed"]


def nearest_steps(ticks: Array, ticks_per_beat: int, steps_per_beat: int) -> Array:
    """The grid step nearest to each time, halves upwards."""
    steps: Array = (2 * ticks * steps_per_beat + ticks_per_beat) // (2 * ticks_per_beat)
    return steps


def on_grid(notes: Array, ticks_per_beat: int, steps_per_beat: int) -> Array:
    """Notes `(notes, 4)` in ticks, moved to grid steps; each lasts one step at least."""
    moved = notes.copy()
    moved[:, :2] = nearest_steps(notes[:, :2], ticks_per_beat, steps_per_beat)
    moved[:, 1] = np.maximum(moved[:, 1], moved[:, 0] + 1)
    return moved


def placed(
    notes: Array, name: str | Path, *, ticks_per_beat: int, steps_per_beat: int
) -> tuple[Array, tuple[str, ...]]:
    """Notes as `Piece` has them, and what was noticed: notes that a piano has no key for, and such as fall together.

    Args:
        notes: int64 `(notes, 4)`: start and end in ticks, pitch, velocity; not empty.
        name: what to call them in errors.
        ticks_per_beat: ticks of a quarter note.
        steps_per_beat: grid steps in a quarter note.

    Raises:
        DataError: none of the notes is one of a piano.
    """
    remarks = []
    inside = (notes[:, 2] >= LOWEST_KEY) & (notes[:, 2] <= HIGHEST_KEY)
    outside = int((~inside).sum())
    if outside == len(notes):
        problem = f"holds no note from {LOWEST_KEY} to {HIGHEST_KEY}, the keys of a piano"
        raise DataError(name, problem, "transpose it or leave it out")
    if outside:
        keys = f"{LOWEST_KEY} to {HIGHEST_KEY}, the keys of a piano"
        remarks.append(f"{outside:,} of {len(notes):,} notes lie outside {keys}, and are left out")
    kept = notes[inside]
    joined = joined_notes(on_grid(kept, ticks_per_beat, steps_per_beat))
    if len(joined) < len(kept):
        # Notes of one pitch that begin together anyway, in two parts, are one on any grid.
        together = len(np.unique(kept[:, [0, 2]], axis=0)) - len(joined)
        if together:
            merged = f"{together:,} of {len(kept):,} notes fall together with another of their pitch"
            remarks.append(f"{merged} on the grid of {steps_per_beat} steps a beat (--data.steps_per_beat)")
    return joined, tuple(remarks)
