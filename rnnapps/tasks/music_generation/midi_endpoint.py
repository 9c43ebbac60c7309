"""What music models serve by default: a MIDI file in, the file and its continuation out, all in the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.tensor_names import LENGTHS, STEPS
from rnnapps.export.row_rules import inside
from rnnapps.preprocessing.joined_rows import join_rows
from rnnapps.tasks.music_generation.data import midi
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.preprocessing.midi_reader import PROBLEMS, MidiNotes, read_midi
from rnnapps.tasks.music_generation.preprocessing.midi_writer import write_midi
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.preprocessing.music_tensors import (
    Rolls,
    rolls_of_events,
    rolls_of_frames,
    tokens_of,
)
from rnnapps.tasks.music_generation.wishes import DEFAULTS, wishes, written
from rnnapps.types import Array, Tensor

__all__ = ["midi_endpoint"]

MEANINGS = {
    "midi_bytes": "a Standard MIDI File (batch,); empty begins a piece",
    written("midi_bytes"): "the file and its continuation as a MIDI file (batch,)",
}


def midi_endpoint(continuing: Endpoint, grid: MusicGrid, limits: MusicExportConfig) -> Endpoint:
    """Puts reading and writing of MIDI files around the endpoint that continues frames or events.

    A row whose file cannot be read gets a `problem`, an empty file and no continuation.

    Args:
        continuing: takes "frames" or "tokens", "lengths" and further inputs; returns what follows the former two.
        grid: the model's grid.
        limits: how long a primer may be, and what may be asked for.
    """
    name = "frames" if grid.representation == "frames" else "tokens"
    further = [input_name for input_name in continuing.input_signature if input_name not in (name, LENGTHS)]
    beyond = f"has more than {limits.longest_primer:,} {'frames' if name == 'frames' else 'events'}"

    def write(midi_bytes: Tensor, **asked: Tensor) -> dict[str, Tensor]:
        notes = read_midi(midi_bytes, steps_per_beat=grid.steps_per_beat, percussion=grid.percussion)
        primer, lengths = _numbers(notes, grid)
        too_long = lengths > limits.longest_primer
        primer, lengths = primer[:, : limits.longest_primer], tf.where(too_long, 0, lengths)
        answer = continuing.function(**{name: primer, LENGTHS: lengths}, **asked)
        good = (notes.problem == 0) & ~too_long
        added = tf.where(good, answer[written(LENGTHS)], 0)
        rows = answer[written(name)]
        content = _written((join_rows(primer, lengths, rows), lengths + added), notes, grid)
        return {
            written("midi_bytes"): tf.where(good, content, ""),
            written(name): tf.where(inside(rows, added), rows, 0),
            written(LENGTHS): added,
            "problem": tf.where(too_long, beyond, tf.gather(tf.constant(PROBLEMS), notes.problem)),
        }

    signature = {"midi_bytes": tf.TensorSpec((None,), tf.string)}
    signature |= {input_name: continuing.input_signature[input_name] for input_name in further}
    examples = {"midi_bytes": _example_files(grid)} | {
        input_name: continuing.examples[input_name] for input_name in further
    }
    return Endpoint(
        write,
        signature,
        examples,
        rules=wishes(STEPS, limits.longest_answer),
        neutral=continuing.neutral,
        found_problems=(*PROBLEMS[1:], beyond),
        summary="MIDI files in, each with its continuation out.",
        meanings={**continuing.meanings, **MEANINGS},
        defaults=DEFAULTS,
    )


def _numbers(notes: MidiNotes, grid: MusicGrid) -> tuple[Tensor, Tensor]:
    """Frames or tokens, and their numbers."""
    if grid.representation == "frames":
        return tf.cast(notes.sounding, tf.int32), notes.lengths
    return tokens_of(Rolls(notes.sounding, notes.struck, notes.velocity), grid)


def _written(music: tuple[Tensor, Tensor], notes: MidiNotes, grid: MusicGrid) -> Tensor:
    """Files `(batch,)` of frames or tokens and their numbers, with the tempo and metre of what was read."""
    rolls = _rolls(*music, grid)
    return write_midi(rolls, notes.conductor, steps_per_beat=grid.steps_per_beat, percussion=grid.percussion)


def _rolls(rows: Tensor, lengths: Tensor, grid: MusicGrid) -> Rolls:
    """Frames or tokens `(batch, time, ...)` as notes."""
    return rolls_of_frames(rows, lengths) if grid.representation == "frames" else rolls_of_events(rows, lengths, grid)


def _example_files(grid: MusicGrid) -> Array:
    """Five short files, one of them empty."""
    pitch: Callable[[int], int] = (lambda row: 36 + row) if grid.percussion else (lambda row: 60 + 2 * row)
    files = []
    for row in range(5):
        notes = [[step, step + 1 + row % 2, pitch(row) + 2 * step, 80] for step in range(0, 2 * row, 2)]
        piece = Piece(np.array(notes, np.int32).reshape(-1, 4))
        content = midi.write_midi(
            replace(piece, tempo_bpm=90.0 + row, beats_per_bar=3.0 + row % 2),
            steps_per_beat=grid.steps_per_beat,
            percussion=grid.percussion,
        )
        files.append(content if row else b"")
    return np.array(files, object)
