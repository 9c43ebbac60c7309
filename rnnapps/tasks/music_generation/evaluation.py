"""Scores of a music model on held-out pieces, beside baselines, and what its own pieces are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.metrics.parts import ratio
from rnnapps.tasks.music_generation.data.music import PieceSplits
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.frame_network import echo_of
from rnnapps.tasks.music_generation.generation import Sampling, write_pieces
from rnnapps.tasks.music_generation.metrics import frame_baselines, note_events
from rnnapps.tasks.music_generation.metrics.frames import FrameScore, best_threshold
from rnnapps.tasks.music_generation.metrics.music_diagnostics import music_diagnostics
from rnnapps.tasks.music_generation.metrics.note_events import EventScore
from rnnapps.tasks.music_generation.objective import event_scorer, frame_scorer, joined_events
from rnnapps.tasks.music_generation.preprocessing.music_grid import BOUNDARY, MusicGrid

__all__ = ["diagnose", "evaluate_music", "excerpts"]

GENERATED = 8
GENERATED_BEATS = 32


def evaluate_music(network: keras.Model, grid: MusicGrid, pieces: PieceSplits) -> Evaluation:
    """Metrics and baselines on the test pieces, and diagnostics of generated pieces beside excerpts of the test's."""
    frames, told, alone = grid.representation == "frames", dict[str, float](), dict[str, FrameScore]()
    scores: Mapping[str, FrameScore | EventScore]
    if frames:
        scores, told, alone = _frame_scores(network, grid, pieces)
    else:
        scores = _event_scores(network, grid, pieces)
    statistics = {name: score.by_piece for name, score in scores.items()}
    metrics = {name: score.metrics() for name, score in scores.items()}
    return Evaluation(
        metrics=metrics.pop(MODEL),
        baselines=metrics,
        alone={name: score.metrics() for name, score in alone.items()},
        examples=int(statistics[MODEL][:, 1].sum()),
        split="test",
        diagnostics=told | diagnose(network, grid, pieces.test),
        comparison=Comparison("nats_per_step" if frames else "nats_per_event", statistics, ratio, part="pieces"),
    )


def _frame_scores(
    network: keras.Model, grid: MusicGrid, pieces: PieceSplits
) -> tuple[dict[str, FrameScore], dict[str, float], dict[str, FrameScore]]:
    """The model and its baselines on frames, the model's threshold, and what its network is without `Echo`, with it.

    Thresholds are chosen on validation pieces.
    """
    train, validation, held_out = (
        [grid.frames(piece) for piece in part] for part in (pieces.train, pieces.validation, pieces.test)
    )
    chosen = frame_scorer(network, validation)
    threshold = best_threshold(lambda value: chosen(value).metrics()["frame_accuracy"])
    model = frame_scorer(network, held_out)(threshold)
    scored = frame_baselines.score_baselines(train, held_out, validation)
    alone = {"network alone": frame_scorer(network, held_out, echo=False)(threshold)} if echo_of(network) else {}
    return {MODEL: model, **scored}, {"frame_threshold": threshold}, alone


def _event_scores(network: keras.Model, grid: MusicGrid, pieces: PieceSplits) -> dict[str, EventScore]:
    """The model and its baselines on events."""
    train, ids = (joined_events(grid, part) for part in (pieces.train, pieces.test))
    baselines = note_events.score_baselines(train, ids, grid.is_note_on(ids), tokens=grid.tokens, boundary=BOUNDARY)
    return {MODEL: event_scorer(network, grid, pieces.test)(), **baselines}


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
