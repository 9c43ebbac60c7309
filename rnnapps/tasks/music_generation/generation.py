"""Writing music with a trained network: pieces as a whole, or step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import StepFunction, advance, begin
from rnnapps.layers.token_network import read, token_step, zero_states
from rnnapps.tasks.music_generation.data.piece import KEYS, LOWEST_KEY, Piece, joined_notes
from rnnapps.tasks.music_generation.frame_sampling import begin_frames, continue_frames, last_frames
from rnnapps.tasks.music_generation.preprocessing.music_grid import BOUNDARY, MusicGrid
from rnnapps.types import Array, Tensor, Tensors

__all__ = ["KeyChange", "Sampling", "begin_events", "event_step", "stream_changes", "write_pieces"]

IMPOSSIBLE = -1e9
"""Added to a logit, leaves it no probability."""

CHUNK_EVENTS = 64
MOST_EVENTS_PER_STEP = 64
"""Events after which a network that lets no time pass is stopped, for each step that was asked for."""


@dataclass(frozen=True)
class Sampling:
    """How pieces are drawn.

    Attributes:
        steps: grid steps to add.
        samples: number of pieces.
        temperature: 0 always takes the likeliest; higher is more varied.
        top_p: leaves out what is unlikely; 1 leaves out nothing.
        seed: of the first piece; it counts up.
    """

    steps: int
    samples: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0

    def rules(self) -> Rules:
        """The rules of all pieces."""
        rows = self.samples
        return Rules(
            temperature=tf.fill([rows], float(self.temperature)),
            seed=self.seed + tf.range(rows, dtype=tf.int64),
            top_p=tf.fill([rows], float(self.top_p)) if self.top_p < 1 else None,
        )


def write_pieces(network: keras.Model, grid: MusicGrid, primer: Piece, sampling: Sampling) -> list[Piece]:
    """Pieces that begin with a primer (which may be empty) and go on for the steps that were asked for."""
    if grid.representation == "frames":
        start = grid.frames(primer)
        continuations = _written_frames(network, start, sampling, grid.known)
        pieces = [grid.from_frames(np.concatenate([start, added])) for added in continuations]
    else:
        pieces = _written_events(network, grid, primer, sampling)
    length = primer.steps + sampling.steps
    named = replace(primer, name="generated")
    return [replace(named, notes=_cut(piece.notes, length)) for piece in pieces]


def _written_frames(network: keras.Model, start: Array, sampling: Sampling, known: Array) -> Array:
    """Frames uint8 `(samples, steps, 88)` that follow those of a primer."""
    rules = sampling.rules()

    @tf.function(autograph=False)
    def write() -> Tensor:
        rows = sampling.samples
        primers = tf.tile(tf.constant(start, tf.float32)[None], [rows, 1, 1])
        lengths = tf.fill([rows], len(start))
        context, states = begin_frames(network, primers, lengths)
        before = last_frames(primers, lengths)
        return continue_frames(network, context, states, rules, before=before, known=known, steps=sampling.steps)[0]

    return np.asarray(write(), np.uint8)


def begin_events(network: keras.Model, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensors]:
    """Logits of the next event `(batch, tokens)` and states after primers `(batch, time)`, which may be empty."""
    tokens = tf.pad(tokens, [[0, 0], [1, 0]], constant_values=BOUNDARY)
    logits, states = read(network, tokens, lengths + 1, zero_states(network, tf.shape(tokens)[0]))
    return tf.gather(logits, lengths, batch_dims=1) + _never_ends(network), states


def event_step(network: keras.Model) -> StepFunction:
    """One step of a token network that never ends a piece."""
    step = token_step(network)

    def onward(tokens: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        logits, new = step(tokens, states)
        return logits + _never_ends(network), new

    return onward


def _never_ends(network: keras.Model) -> Tensor:
    """What is added to logits `(..., tokens)` so that no piece ends."""
    return tf.one_hot(BOUNDARY, network.output["logits"].shape[-1], on_value=IMPOSSIBLE, off_value=0.0)


def _written_events(network: keras.Model, grid: MusicGrid, primer: Piece, sampling: Sampling) -> list[Piece]:
    """Pieces with the events that follow a primer, until all are long enough."""
    start = grid.events(primer)
    rows: list[list[int]] = [[] for _ in range(sampling.samples)]
    for drawn in _event_chunks(network, start, sampling):
        for row, more in zip(rows, drawn.tolist(), strict=True):
            row += more
        if min(sum(map(grid.shift_steps, row)) for row in rows) >= sampling.steps:
            break
    return [grid.from_events(np.concatenate([start, np.array(row, np.int32)])) for row in rows]


def _event_chunks(network: keras.Model, start: Array, sampling: Sampling, size: int = CHUNK_EVENTS) -> Iterator[Array]:
    """Chunks of events `(samples, size)`."""
    rules, step, most = sampling.rules(), event_step(network), sampling.steps * MOST_EVENTS_PER_STEP
    tokens = tf.tile(tf.constant(start, tf.int32)[None], [sampling.samples, 1])
    logits, states = begin_events(network, tokens, tf.fill([sampling.samples], len(start)))
    progress = begin(states, logits, rules, length=tf.fill([sampling.samples], most))
    chunk = tf.function(lambda now: advance(step, now, rules, steps=size), autograph=False)
    for _ in range(-(-most // size)):
        drawn, progress = chunk(progress)
        yield np.asarray(drawn)


def _cut(notes: Array, steps: int) -> Array:
    """Notes of a piece that ends at a step."""
    kept = notes[notes[:, 0] < steps].copy()
    kept[:, 1] = np.minimum(kept[:, 1], steps)
    return joined_notes(kept)


@dataclass(frozen=True)
class KeyChange:
    """What happens to the keys at one step.

    Attributes:
        beat: when, in quarter notes from the end of the primer.
        note_on: MIDI pitches of the keys that are struck.
        note_off: those of the keys that are released.
    """

    beat: float
    note_on: tuple[int, ...]
    note_off: tuple[int, ...]


def stream_changes(network: keras.Model, grid: MusicGrid, primer: Piece, sampling: Sampling) -> Iterator[KeyChange]:
    """Each step at which keys are struck or released; the last change releases what still sounds."""
    single = replace(sampling, samples=1)
    changes = _frame_changes if grid.representation == "frames" else _event_changes
    sounding: set[int] = set()
    for step, on, off in changes(network, grid, primer, single):
        if step >= sampling.steps:
            break
        sounding = (sounding - set(off)) | set(on)
        yield KeyChange(step / grid.steps_per_beat, tuple(on), tuple(off))
    if sounding:
        yield KeyChange(sampling.steps / grid.steps_per_beat, (), tuple(sorted(sounding)))


def _frame_changes(
    network: keras.Model, grid: MusicGrid, primer: Piece, sampling: Sampling
) -> Iterator[tuple[int, list[int], list[int]]]:
    """(step, pitches struck, pitches released) of frames, drawn a beat at a time."""
    start, rules, size = grid.frames(primer), sampling.rules(), grid.steps_per_beat
    context, states = begin_frames(network, start[None], tf.constant([len(start)]))
    chunk = tf.function(
        lambda context, states, before, position: continue_frames(
            network, context, states, rules, before=before, known=grid.known, steps=size, position=position
        ),
        autograph=False,
    )
    last = start[-1] if len(start) else np.zeros(KEYS, np.uint8)
    for first in range(0, sampling.steps, size):
        frames, context, states = chunk(context, states, tf.constant(last[None], tf.float32), tf.constant(first))
        for step, frame in enumerate(np.asarray(frames[0], np.uint8), start=first):
            on, off = (np.flatnonzero(change) + LOWEST_KEY for change in (frame > last, frame < last))
            if len(on) or len(off):
                yield step, on.tolist(), off.tolist()
            last = frame


def _event_changes(
    network: keras.Model, grid: MusicGrid, primer: Piece, sampling: Sampling
) -> Iterator[tuple[int, list[int], list[int]]]:
    """The same of events, drawn eight at a time; a step is complete once time passes."""
    now, on, off = 0, list[int](), list[int]()
    for drawn in _event_chunks(network, grid.events(primer), sampling, size=8):
        for token in drawn[0].tolist():
            shift = grid.shift_steps(token)
            if shift:
                if on or off:
                    yield now, on, off
                now, on, off = now + shift, [], []
            elif key := grid.key(token):
                (on if grid.is_note_on(np.array(token)) else off).append(key)
        if now >= sampling.steps:
            return
