"""The client's side of a served music model: MIDI to the arrays of a request, and the answer back to MIDI.

The signature `serving_default` takes and gives MIDI files itself, up to 256 KiB and 4,096 grid steps; this module is
for larger ones, and for clients that work with the arrays of the signature `continuation`. It needs no TensorFlow, but
the `preprocessing` folder of the export (below `assets.extra`), from which the grid is loaded:

    grid = MusicGrid.load("saved_models/music_generation/1/assets.extra/preprocessing")
    primer = open("primer.mid", "rb").read()
    request = request_arrays(grid, primer, steps=128)
    inputs = {name: array.tolist() for name, array in request.items()}
    answer = ...  # POST {"signature_name": "continuation", "inputs": inputs} to .../music_generation:predict: "outputs"
    open("more.mid", "wb").write(answer_midi(grid, primer, answer))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.client import Client
from rnnapps.client.content import content_of
from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.midi import parse_midi, write_midi
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.wishes import written
from rnnapps.types import Array

__all__ = ["MusicClient", "answer_midi", "request_arrays"]


class MusicClient(Client):
    """Asks a model that writes music; see `Client`."""

    def continue_piece(
        self,
        midi: bytes | str | Path = b"",
        *,
        steps: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
    ) -> bytes:
        """A piece and its continuation as a MIDI file.

        Args:
            midi: a Standard MIDI File, or its path; empty begins a piece.
            steps: what to add, in grid steps or events. None here and below: the model's own default.
            temperature: 0 always takes the likeliest.
            top_p: leaves out what is unlikely; 1 leaves out nothing.
            seed: the same request with the same seed has the same answer.

        Raises:
            DataError: the file cannot be read.
            ServingError: the server cannot be reached, or refuses the file.
        """
        wishes = {"steps": steps, "temperature": temperature, "top_p": top_p, "seed": seed}
        inputs = {name: value for name, value in wishes.items() if value is not None}
        answer = self.predict({"midi_bytes": [content_of(midi)], **inputs})
        return bytes(answer[written("midi_bytes")][0])


def request_arrays(
    grid: MusicGrid, primer: bytes, *, steps: int, temperature: float = 1.0, top_p: float = 1.0, seed: int = 0
) -> dict[str, Array]:
    """The inputs of `continuation` for one MIDI file.

    Args:
        grid: the model's grid.
        primer: a Standard MIDI File; empty begins a piece.
        steps: what to add: grid steps for a model of frames, events for one of events.
        temperature: 0 always takes the likeliest.
        top_p: leaves out what is unlikely; 1 leaves out nothing.
        seed: the same seed gives the same answer.

    Raises:
        DataError: the primer is no valid MIDI file.
    """
    sampling: dict[str, Array] = {
        "temperature": np.array([temperature], np.float32),
        "top_p": np.array([top_p], np.float32),
        "seed": np.array([seed], np.int64),
    }
    numbers = _numbers(grid, _piece(grid, primer))
    return {
        _name(grid): numbers[None],
        "lengths": np.array([len(numbers)], np.int32),
        "steps": np.array([steps], np.int32),
        **sampling,
    }


def answer_midi(grid: MusicGrid, primer: bytes, answer: Mapping[str, Any]) -> bytes:
    """The primer and its continuation as one MIDI file, with the primer's tempo and time signature.

    Args:
        grid: the model's grid.
        primer: what `request_arrays` was given.
        answer: the outputs of `continuation`: lists or arrays.

    Raises:
        DataError: the primer is no valid MIDI file, or the model has refused the request.
    """
    problem = np.asarray(answer.get("problem", [""])).tolist()[0]
    if problem:
        told = problem.decode() if isinstance(problem, bytes) else str(problem)
        raise DataError("request", f"was not answered: {told}", "ask for something else")
    begun = _piece(grid, primer)
    name = _name(grid)
    length = int(np.asarray(answer[written("lengths")])[0])
    both = np.concatenate([_numbers(grid, begun), np.asarray(answer[written(name)], np.int32)[0, :length]])
    piece = grid.from_frames(both) if name == "frames" else grid.from_events(both)
    piece = replace(begun, notes=piece.notes)
    return write_midi(piece, steps_per_beat=grid.steps_per_beat, percussion=grid.percussion)


def _piece(grid: MusicGrid, primer: bytes) -> Piece:
    """The primer; an empty one has no notes."""
    if not primer:
        return Piece(np.zeros((0, 4), np.int32))
    return parse_midi(primer, "primer", steps_per_beat=grid.steps_per_beat, percussion=grid.percussion)


def _name(grid: MusicGrid) -> str:
    """The input that holds the music."""
    return "frames" if grid.representation == "frames" else "tokens"


def _numbers(grid: MusicGrid, piece: Piece) -> Array:
    """Frames or tokens, int32."""
    return (grid.frames(piece) if grid.representation == "frames" else grid.events(piece)).astype(np.int32)
