"""A music model's part of the report: piano rolls, sounds and figures."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from rnnapps.contract.sections import Block, Details, Paragraph, Section, Sound, Table
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.evaluation import excerpts
from rnnapps.tasks.music_generation.generation import Sampling, write_pieces
from rnnapps.tasks.music_generation.metrics.music_diagnostics import music_diagnostics
from rnnapps.tasks.music_generation.piano_roll import plot_piano_roll
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.synthesis import render_wav

__all__ = ["music_sections"]

BEATS, PRIMER_BEATS, SAMPLES = 32, 8, 2
_NOTE = (
    "Entropy: of the twelve pitch classes, at most 3.58 bits. Repetition: the longest passage that occurs twice. In "
    "key: notes that belong to the major scale that fits best. Far from the real pieces' figures is far from their "
    "style; close to them is not yet good."
)


def music_sections(network: keras.Model, grid: MusicGrid, validation: Sequence[Piece]) -> list[Section]:
    """Two pieces from nothing, one continued from a validation piece, and their figures beside the real pieces'."""
    steps = BEATS * grid.steps_per_beat
    empty = Piece(np.zeros((0, 4), np.int32))
    written = write_pieces(network, grid, empty, Sampling(steps=steps, samples=SAMPLES))
    primer = excerpts(validation, PRIMER_BEATS * grid.steps_per_beat)[0]
    continued = write_pieces(network, grid, primer, Sampling(steps=steps - primer.steps))[0]
    titled = {f"Generated piece {number}": (piece, 0) for number, piece in enumerate(written, start=1)}
    titled[f"Continuation of {primer.name or 'a validation piece'}"] = (continued, primer.steps)
    titled["A validation piece"] = (excerpts(validation, steps)[0], 0)
    blocks: list[Block] = []
    for title, (piece, given) in titled.items():
        plot = plot_piano_roll(piece, steps_per_beat=grid.steps_per_beat, primer_steps=given, title=title)
        sound = render_wav(piece, steps_per_beat=grid.steps_per_beat)
        blocks += [plot.picture(), Details(f"Listen: {title}", [Sound(sound, title)])]
    groups = {"generated": written, "validation": excerpts(validation, steps)}
    figures = {name: music_diagnostics(group, steps_per_beat=grid.steps_per_beat) for name, group in groups.items()}
    names = list(figures["validation"])
    rows = [(name, *(figures[name].get(figure) for figure in names)) for name in groups]
    table = Table(("Pieces", *(name.replace("_", " ") for name in names)), rows, f"Mean over pieces of {BEATS} beats")
    return [Section("Pieces", [*blocks, table, Paragraph(_NOTE)])]
