"""Training a music model: batches, loss and validation; and scoring it on held-out pieces."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.data.text.windows import batches
from rnnapps.errors import ConfigError
from rnnapps.layers.token_network import zero_states
from rnnapps.metrics.text import nats
from rnnapps.tasks.music_generation.data.frame_windows import frame_batches
from rnnapps.tasks.music_generation.data.music import PieceSplits
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.fit_echo import echo_fitter
from rnnapps.tasks.music_generation.frame_network import contexts_of, first_states, key_distribution
from rnnapps.tasks.music_generation.key_drawing import expected_frame
from rnnapps.tasks.music_generation.metrics.frames import FrameScore, frame_nats, score_frames
from rnnapps.tasks.music_generation.metrics.note_events import EventScore
from rnnapps.tasks.music_generation.preprocessing.music_grid import BOUNDARY, MusicGrid
from rnnapps.types import Array, NamedTensors, Tensor, Tensors

__all__ = ["event_scorer", "frame_scorer", "joined_events", "music_objective"]

ScoreStep = Callable[[Tensor, Tensors], tuple[Tensor, Tensor, Tensors]]
"""Maps (tokens `(rows, time + 1)`, states) to (nats and likeliest tokens `(rows, time)`, new states)."""

SCORED_ROWS, SCORED_STEPS = 32, 64


def music_objective(
    network: keras.Model, grid: MusicGrid, pieces: PieceSplits, config: TrainingConfig, *, transpose: int, seed: int
) -> Objective:
    """The objective of `rnnapps.training.loop.train`.

    Raises:
        ConfigError: frames with carried states, which their windows at random places have no use for.
        DataError: the training pieces do not suffice for a batch of events.
    """
    if grid.representation == "frames":
        return _frame_objective(network, grid, pieces, config, transpose=transpose, seed=seed)
    return _event_objective(network, grid, pieces, config, transpose=transpose, seed=seed)


def _frame_objective(
    network: keras.Model, grid: MusicGrid, pieces: PieceSplits, config: TrainingConfig, *, transpose: int, seed: int
) -> Objective:
    """For frames: nats of each frame, summed over its keys."""
    if config.carry_state:
        raise ConfigError("training.carry_state must be false with data.representation frames")
    rolls = [grid.frames(piece) for piece in pieces.train]
    rooms = [piece.room(transpose) for piece in pieces.train]
    read = tuple(name for name in network.input if name != "states")

    def batches_from(step: int) -> tf.data.Dataset:
        shape = {"batch_size": config.batch_size, "window_steps": config.window_steps}
        windows = frame_batches(rolls, rooms, seed=seed, start_step=step, **shape)
        return windows.map(lambda batch: {**batch, "inputs": {name: batch["inputs"][name] for name in read}})

    def loss(outputs: NamedTensors, batch: NamedTensors) -> Tensor:
        valid = tf.cast(batch["valid"], tf.float32)
        return tf.reduce_sum(frame_nats(outputs["logits"], batch["targets"]) * valid) / tf.reduce_sum(valid)

    held_out = [grid.frames(piece) for piece in pieces.validation]
    score, fit = frame_scorer(network, held_out, greedy=False), echo_fitter(network, held_out)

    def validate() -> dict[str, float]:
        fit()
        return {"validation_nats_per_step": score().metrics()["nats_per_step"]}

    return Objective(
        loss=loss,
        batches=batches_from,
        validate=validate,
        metric="validation_nats_per_step",
        loss_unit="nats_per_step",
        time_step="grid step",
        sequences=sum(map(len, rolls)) / config.window_steps,
        terms=lambda batch: tf.math.count_nonzero(batch["valid"]),
    )


def frame_scorer(
    network: keras.Model, rolls: Sequence[Array], *, greedy: bool = True, echo: bool = True
) -> Callable[..., FrameScore]:
    """A function that scores pieces with a frame network's weights of that moment.

    It takes the probability above which a key is expected, one half by default.

    Args:
        network: the network.
        rolls: frames of each piece `(steps, keys)`.
        greedy: also find the expected frames, key by key from the lowest, for `frame_accuracy`; without, it is that of
            the keys given the true ones below them.
        echo: False scores the network alone.
    """
    distribution = key_distribution(network)

    @tf.function(autograph=False)
    def apply(
        threshold: Tensor, frames: Tensor, next_frames: Tensor, states: Tensors
    ) -> tuple[Tensor, Tensor, Tensors]:
        contexts, final = contexts_of(network, frames, states, echo=echo)
        logits = distribution(contexts, next_frames)
        if not (greedy and distribution.hidden_units):
            return logits, tf.cast(tf.sigmoid(logits) > threshold, tf.float32), final
        terms = distribution.given(tf.reshape(contexts, [-1, contexts.shape[-1]]))
        return logits, tf.reshape(expected_frame(terms, threshold), tf.shape(next_frames)), final

    def score(threshold: float = 0.5) -> FrameScore:
        first, run = functools.partial(first_states, network), functools.partial(apply, tf.constant(threshold))
        return score_frames(run, first, rolls, batch_size=SCORED_ROWS, window_steps=SCORED_STEPS)

    return score


def joined_events(grid: MusicGrid, pieces: Sequence[Piece], *, transpose: int = 0, seed: int = 0) -> Array:
    """The tokens of all pieces, each begun and ended by a boundary.

    With `transpose` all pieces occur in every transposition up to so many semitones either way that leaves them on the
    piano, in a random order.
    """
    ordered = list(pieces)
    if transpose:
        moved = [piece.transposed(shift) for piece in pieces for shift in _shifts(piece, transpose)]
        ordered = [moved[number] for number in np.random.default_rng(seed).permutation(len(moved))]
    boundary = np.array([BOUNDARY], np.int32)
    return np.concatenate([boundary, *(part for piece in ordered for part in (grid.events(piece), boundary))])


def _shifts(piece: Piece, transpose: int) -> range:
    """All transpositions of a piece."""
    low, high = piece.room(transpose)
    return range(low, high + 1)


def _event_objective(
    network: keras.Model, grid: MusicGrid, pieces: PieceSplits, config: TrainingConfig, *, transpose: int, seed: int
) -> Objective:
    """For events: nats of each."""
    ids = joined_events(grid, pieces.train, transpose=transpose, seed=seed)

    def batches_from(step: int) -> tf.data.Dataset:
        return batches(
            ids,
            batch_size=config.batch_size,
            window_steps=config.window_steps,
            seed=seed,
            start_step=step,
            carry_state=config.carry_state,
            token="event",
        )

    score = event_scorer(network, grid, pieces.validation)
    return Objective(
        loss=lambda outputs, batch: tf.reduce_mean(nats(outputs["logits"], batch["targets"])),
        batches=batches_from,
        validate=lambda: {f"validation_{name}": value for name, value in score().metrics().items()},
        metric="validation_nats_per_event",
        loss_unit="nats_per_event",
        time_step="event",
        sequences=len(ids) / config.window_steps,
    )


def event_scorer(network: keras.Model, grid: MusicGrid, pieces: Sequence[Piece]) -> Callable[[], EventScore]:
    """A function that scores every event and the end of every piece, each given all events of the piece before it."""
    rows = [np.pad(grid.events(piece), 1, constant_values=BOUNDARY) for piece in pieces]
    order = np.argsort([len(row) for row in rows], kind="stable")
    groups = [order[first : first + SCORED_ROWS] for first in range(0, len(order), SCORED_ROWS)]
    side_by_side = [_side_by_side([rows[piece] for piece in group]) for group in groups]

    @tf.function(autograph=False)
    def apply(tokens: Tensor, states: Tensors) -> tuple[Tensor, Tensor, Tensors]:
        outputs = network({"tokens": tokens[:, :-1], "states": states}, training=False)
        best = tf.argmax(outputs["logits"], axis=-1, output_type=tf.int32)
        return nats(outputs["logits"], tokens[:, 1:]), best, outputs["states"]

    def score() -> EventScore:
        scored = [
            (losses, expected, targets, group[places])
            for group, tokens in zip(groups, side_by_side, strict=True)
            for losses, expected, targets, places in _windows_scored(apply, zero_states(network, SCORED_ROWS), tokens)
        ]
        losses, expected, targets, piece = (np.concatenate(parts) for parts in zip(*scored, strict=True))
        return EventScore(losses, expected == targets, grid.is_note_on(targets), piece)

    return score


def _side_by_side(rows: Sequence[Array]) -> Array:
    """Tokens `(rows, time)`, -1 behind a row's end."""
    width = -(-(len(rows[-1]) - 1) // SCORED_STEPS) * SCORED_STEPS
    tokens = np.full((SCORED_ROWS, width + 1), -1, np.int32)
    for own, row in zip(tokens, rows, strict=False):
        own[: len(row)] = row
    return tokens


def _windows_scored(apply: ScoreStep, states: Tensors, tokens: Array) -> Iterator[tuple[Array, Array, Array, Array]]:
    """(losses, likeliest tokens, actual tokens, numbers of their rows) of each window, flat."""
    for start in range(0, tokens.shape[1] - 1, SCORED_STEPS):
        window = tokens[:, start : start + SCORED_STEPS + 1]
        losses, best, states = apply(tf.constant(np.maximum(window, 0)), states)
        valid = window[:, 1:] >= 0
        yield np.asarray(losses)[valid], np.asarray(best)[valid], window[:, 1:][valid], np.nonzero(valid)[0]
