"""Scores of a music model on held-out pieces, beside baselines, and what its own pieces are like."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from rnnapps.contract.evaluation import Evaluation
from rnnapps.tasks.music_generation.data.music import PieceSplits
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.generation import Sampling, write_pieces
from rnnapps.tasks.music_generation.metrics import frames as frame_metrics
from rnnapps.tasks.music_generation.metrics import note_events
from rnnapps.tasks.music_generation.metrics.music_diagnostics import music_diagnostics
from rnnapps.tasks.music_generation.objective import event_scorer, frame_scorer, joined_events
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid

__all__ = ["diagnose", "evaluate_music", "excerpts"]

GENERATED = 8
GENERATED_BEATS = 32


def evaluate_music(network: keras.Model, grid: MusicGrid, pieces: PieceSplits) -> Evaluation:
    """Metrics and baselines on the test pieces, and diagnostics of generated pieces beside excerpts of the test's."""
    told: dict[str, float] = {}
    if grid.representation == "frames":
        held_out = [grid.frames(piece) for piece in pieces.test]
        train, validation = ([grid.frames(piece) for piece in part] for part in (pieces.train, pieces.validation))
        chosen = frame_scorer(network, validation)
        threshold = frame_metrics.best_threshold(lambda value: chosen(value)["frame_accuracy"])
        metrics = frame_scorer(network, held_out)(threshold)
        baselines = frame_metrics.baselines(train, held_out, validation)
        told["frame_threshold"] = threshold
        examples = sum(len(roll) - 1 for roll in held_out)
    else:
        metrics = event_scorer(network, grid, pieces.test)()
        ids = joined_events(grid, pieces.test)
        before = joined_events(grid, pieces.train)
        baselines = note_events.baselines(before, ids, grid.is_note_on(ids), tokens=grid.tokens)
        examples = len(ids) - 1
    return Evaluation(
        metrics=metrics,
        baselines=baselines,
        examples=examples,
        split="test",
        diagnostics=told | diagnose(network, grid, pieces.test),
    )


def diagnose(network: keras.Model, grid: MusicGrid, pieces: Sequence[Piece]) -> dict[str, float]:
    """Figures of eight generated pieces of 32 beats, and of excerpts of the same length from real ones."""
    steps = GENERATED_BEATS * grid.steps_per_beat
    empty = Piece(np.zeros((0, 4), np.int32))
    written = write_pieces(network, grid, empty, Sampling(steps=steps, samples=GENERATED))
    real = excerpts(pieces, steps)
    diagnostics: dict[str, float] = {}
    for name, group in (("generated", written), ("real", real)):
        figures = music_diagnostics(group, steps_per_beat=grid.steps_per_beat)
        diagnostics |= {f"{name}_{figure}": value for figure, value in figures.items()}
    return diagnostics


def excerpts(pieces: Sequence[Piece], steps: int) -> list[Piece]:
    """The beginnings of pieces; of those that are long enough, if there are any."""
    long = [piece for piece in pieces if piece.steps >= steps] or list(pieces)
    return [piece.beginning(steps) for piece in long]
