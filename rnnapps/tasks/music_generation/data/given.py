"""Pieces in any form that Python users have: files, their bytes, notes, and what a model has written."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import mido
import numpy as np

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.midi import MAXIMUM_STEPS, parse_midi
from rnnapps.tasks.music_generation.data.midi_kinds import ordinary_midi
from rnnapps.tasks.music_generation.data.piece import HIGHEST_KEY, LOWEST_KEY, NOTE_FIELDS, Piece, joined_notes
from rnnapps.types import Array

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GivenPiece", "HasMidi", "parse_given"]

LOUDEST = 127


@runtime_checkable
class HasMidi(Protocol):
    """A piece that knows itself as a Standard MIDI File, such as one that a model has written."""

    @property
    def midi(self) -> bytes:
        """The bytes of the file."""


GivenPiece: TypeAlias = "str | Path | bytes | Array | mido.MidiFile | HasMidi"
"""A file, the bytes of a MIDI file, notes `(notes, 4)` as `Piece` has them, mido's MIDI file, or a written piece."""


def parse_given(given: GivenPiece, place: str, config: MusicDataConfig) -> Piece:
    """A piece from Python that is in no file.

    Args:
        given: bytes of a MIDI file, notes, mido's MIDI file, or a written piece.
        place: what to call it in errors.
        config: the grid.

    Raises:
        DataError: it is something else, or damaged; the message says which note is wrong.
    """
    content: bytes | None = given if isinstance(given, bytes) else None
    if isinstance(given, mido.MidiFile):
        content = _saved(given, place)
    elif isinstance(given, HasMidi) and isinstance(given.midi, bytes):
        content = given.midi
    if content is not None:
        piece = parse_midi(
            ordinary_midi(content, place), place, steps_per_beat=config.steps_per_beat, percussion=config.percussion
        )
        return replace(piece, name=place)
    return Piece(joined_notes(_notes(given, place)), place)


def _saved(file: mido.MidiFile, place: str) -> bytes:
    """The bytes of mido's MIDI file."""
    buffer = io.BytesIO()
    try:
        file.save(file=buffer)
    except (ValueError, TypeError) as error:
        raise DataError(place, f"cannot be written as a MIDI file: {error}", "correct its messages") from None
    return buffer.getvalue()


def _notes(given: object, place: str) -> Array:
    """Notes int32 `(notes, 4)`, checked."""
    if not hasattr(given, "__array__"):
        expected = f"give a path, MIDI bytes, notes (notes, 4): {', '.join(NOTE_FIELDS)}, or a mido.MidiFile"
        raise DataError(place, f"is of type {type(given).__name__}", expected)
    notes = np.asarray(given)
    if notes.ndim != 2 or notes.shape[1] != len(NOTE_FIELDS) or notes.dtype.kind not in "iu":
        expected = f"notes are integers (notes, 4): {', '.join(NOTE_FIELDS)}, in grid steps"
        raise DataError(place, f"has {notes.dtype} {notes.shape}", expected)
    if not len(notes):
        raise DataError(place, "holds no notes", "leave it out")
    for wrong, problem in _CHECKS.items():
        rows = np.flatnonzero(problem(notes))
        if len(rows):
            raise DataError(place, f"note {rows[0]:,} is {notes[rows[0]].tolist()}", wrong)
    return notes.astype(np.int32)


_CHECKS: dict[str, Callable[[Array], Array]] = {
    f"start and end are grid steps from 0 to {MAXIMUM_STEPS:,}": lambda notes: (
        (notes[:, 0] < 0) | (notes[:, 1] >= MAXIMUM_STEPS)
    ),
    "a note must end after its start": lambda notes: notes[:, 1] <= notes[:, 0],
    f"the keys of a piano are {LOWEST_KEY} to {HIGHEST_KEY}": lambda notes: (
        (notes[:, 2] < LOWEST_KEY) | (notes[:, 2] > HIGHEST_KEY)
    ),
    f"a velocity is from 1 to {LOUDEST}": lambda notes: (notes[:, 3] < 1) | (notes[:, 3] > LOUDEST),
}
"""What is expected -> which notes are not so."""
