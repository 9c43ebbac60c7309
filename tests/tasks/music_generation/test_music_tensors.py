from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.music_generation.data import midi
from rnnapps.tasks.music_generation.data.piece import KEYS, LOWEST_KEY, Piece, joined_notes
from rnnapps.tasks.music_generation.preprocessing.midi_reader import MidiNotes, read_midi
from rnnapps.tasks.music_generation.preprocessing.midi_writer import write_midi
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from rnnapps.tasks.music_generation.preprocessing.music_tensors import (
    Rolls,
    rolls_of_events,
    rolls_of_frames,
    tokens_of,
)

GRIDS = [MusicGrid("events", 4), MusicGrid("events", 2, velocity_levels=5, longest_shift_steps=3)]


def random_piece(seed: int, notes: int = 40) -> Piece:
    draw = np.random.default_rng(seed)
    start = draw.integers(0, 60, notes)
    rows = [start, start + draw.integers(1, 12, notes), draw.integers(LOWEST_KEY, LOWEST_KEY + 30, notes)]
    return Piece(joined_notes(np.stack([*rows, draw.integers(1, 128, notes)], axis=1)))


@tf.function(autograph=False)
def notes_of(contents: tf.Tensor, steps_per_beat: int, percussion: bool = False) -> MidiNotes:
    return read_midi(contents, steps_per_beat=steps_per_beat, percussion=percussion)


def read(pieces: list[Piece], grid: MusicGrid) -> Rolls:
    contents = [midi.write_midi(piece, steps_per_beat=grid.steps_per_beat) for piece in pieces]
    return Rolls(*notes_of(tf.constant(contents), grid.steps_per_beat)[:3])


def written(rolls: Rolls, grid: MusicGrid) -> list[Piece]:
    contents = write_midi(rolls, tf.fill([tf.shape(rolls.struck)[0]], ""), steps_per_beat=grid.steps_per_beat).numpy()
    return [midi.parse_midi(content, "x.mid", steps_per_beat=grid.steps_per_beat) for content in contents]


@pytest.mark.parametrize("grid", GRIDS, ids=["one level", "five levels"])
def test_events_are_those_of_the_grid(grid: MusicGrid) -> None:
    pieces = [random_piece(seed, notes) for seed, notes in enumerate((40, 1, 7, 90))]
    late = replace(pieces[1], notes=pieces[1].notes + np.array([32, 32, 0, 0], np.int32))
    pieces.append(late)
    tokens, lengths = tokens_of(read(pieces, grid), grid)
    for piece, row, length in zip(pieces, tokens.numpy(), lengths.numpy(), strict=True):
        assert row[:length].tolist() == grid.events(piece).tolist()
        assert not row[length:].any()


@pytest.mark.parametrize("grid", GRIDS, ids=["one level", "five levels"])
def test_any_events_are_read_as_the_grid_reads_them(grid: MusicGrid) -> None:
    draw = np.random.default_rng(0)
    keys = np.concatenate([np.arange(1, 9), np.arange(1, 9) + KEYS])  # few keys: they meet often
    others = np.arange(2 * KEYS + 1, grid.tokens)
    tokens = np.where(draw.random((6, 200)) < 0.7, draw.choice(keys, (6, 200)), draw.choice(others, (6, 200)))
    lengths = np.array([200, 1, 0, 100, 150, 199], np.int32)
    tokens[:, 5] = 0
    rolls = rolls_of_events(tf.constant(tokens, tf.int32), tf.constant(lengths), grid)
    expected = [grid.from_events(row[:length]) for row, length in zip(tokens, lengths, strict=True)]
    sounds = np.array([len(piece.notes) > 0 for piece in expected])
    assert sounds.tolist() == tf.reduce_any(rolls.struck, axis=[1, 2]).numpy().tolist()
    for found, piece in zip(
        written(Rolls(*(each[sounds] for each in rolls)), grid), [p for p in expected if len(p.notes)], strict=True
    ):
        np.testing.assert_array_equal(found.notes, piece.notes)


def test_frames_are_read_as_the_grid_reads_them() -> None:
    grid = MusicGrid("frames", 4)
    pieces = [random_piece(seed) for seed in (1, 2)]
    rolls = [grid.frames(piece) for piece in pieces]
    lengths = [len(roll) for roll in rolls]
    frames = np.ones((2, max(lengths) + 3, KEYS), np.int32)
    for row, roll in zip(frames, rolls, strict=True):
        row[: len(roll)] = roll
    for found, roll in zip(
        written(rolls_of_frames(tf.constant(frames), tf.constant(lengths)), grid), rolls, strict=True
    ):
        np.testing.assert_array_equal(found.notes, grid.from_frames(roll).notes)


@pytest.mark.parametrize("percussion", [False, True])
def test_files_keep_tempo_and_time_signature(percussion: bool) -> None:
    pieces = [replace(random_piece(3), tempo_bpm=tempo, beats_per_bar=bar) for tempo, bar in ((90.0, 3.0), (61.5, 3.5))]
    options = {"steps_per_beat": 4, "percussion": percussion}
    contents = [midi.write_midi(piece, **options) for piece in pieces]
    found = notes_of(tf.constant(contents), **options)
    again = write_midi(Rolls(*found[:3]), found.conductor, **options).numpy()
    for content, expected in zip(again, contents, strict=True):
        one, other = (midi.parse_midi(each, "x.mid", **options) for each in (content, expected))
        assert (one.tempo_bpm, one.beats_per_bar) == (other.tempo_bpm, other.beats_per_bar)
        np.testing.assert_array_equal(one.notes, other.notes)
