from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.midi import parse_midi, write_midi
from rnnapps.tasks.music_generation.data.piece import Piece, joined_notes
from rnnapps.tasks.music_generation.preprocessing.music_grid import BOUNDARY, MusicGrid


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    note = st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(21, 108), st.integers(1, 127))
    rows = draw(st.lists(note, min_size=1, max_size=30))
    return Piece(joined_notes(np.array([(start, start + size, *rest) for start, size, *rest in rows], np.int32)))


def reread(piece: Piece, steps_per_beat: int) -> Piece:
    return parse_midi(write_midi(piece, steps_per_beat=steps_per_beat), "x", steps_per_beat=steps_per_beat)


@given(pieces(), st.sampled_from((1, 3, 4, 24)))
def test_notes_survive_midi(piece: Piece, steps_per_beat: int) -> None:
    np.testing.assert_array_equal(reread(piece, steps_per_beat).notes, piece.notes)


@given(pieces(), st.sampled_from((1, 4)))
def test_frames_to_midi_and_back_are_the_same(piece: Piece, steps_per_beat: int) -> None:
    grid = MusicGrid("frames", steps_per_beat)
    frames = grid.frames(piece)
    np.testing.assert_array_equal(grid.frames(reread(grid.from_frames(frames), steps_per_beat)), frames)


@given(pieces(), st.sampled_from((1, 5, 127)), st.sampled_from((1, 7, 16)))
def test_events_to_midi_and_back_are_the_same(piece: Piece, levels: int, shift: int) -> None:
    grid = MusicGrid("events", 4, levels, shift)
    events = grid.events(piece)
    assert events.min() > BOUNDARY and events.max() < grid.tokens
    np.testing.assert_array_equal(grid.events(reread(grid.from_events(events), 4)), events)
    np.testing.assert_array_equal(grid.from_events(events).notes[:, :3], piece.notes[:, :3])


@given(st.lists(st.integers(0, 1 + 2 * 88 + 16 + 4 - 1), max_size=60))
def test_any_tokens_are_a_piece(tokens: list[int]) -> None:
    notes = MusicGrid("events", 4, 4, 16).from_events(np.array(tokens, np.int32)).notes
    np.testing.assert_array_equal(joined_notes(notes), notes)
    assert (notes[:, 1] > notes[:, 0]).all() and ((notes[:, 3] > 0) & (notes[:, 3] < 128)).all()


def test_held_and_repeated_notes_differ_in_events_only() -> None:
    held, repeated = (Piece(np.array(rows, np.int32)) for rows in ([[0, 4, 60, 80]], [[0, 2, 60, 80], [2, 4, 60, 80]]))
    frames, events = MusicGrid("frames"), MusicGrid("events")
    np.testing.assert_array_equal(frames.frames(held), frames.frames(repeated))
    # note on of C4 is 1 + 39, its release 89 + 39, a shift of n steps 176 + n
    assert events.events(held).tolist() == [40, 180, 128]
    assert events.events(repeated).tolist() == [40, 178, 128, 40, 178, 128]


@given(pieces(), st.integers(0, 11))
def test_transposition_stays_on_the_piano(piece: Piece, semitones: int) -> None:
    for shift in piece.room(semitones):
        moved = piece.transposed(shift)
        assert abs(shift) <= semitones and moved.notes[:, 2].min() >= 21 and moved.notes[:, 2].max() <= 108
        np.testing.assert_array_equal(moved.transposed(-shift).notes, piece.notes)


def test_a_grid_is_kept_and_defended(tmp_path: Path) -> None:
    grid = MusicGrid("events", 12, 8, 24)
    grid.save(tmp_path)
    assert MusicGrid.load(tmp_path) == grid
    with pytest.raises(ConfigError, match=r"data\.steps_per_beat is 4, but the model knows 12"):
        grid.require_same(MusicDataConfig(representation="events", velocity_levels=8, longest_shift_steps=24))
    (tmp_path / "music.json").write_text('{"representation": "sheets"}')
    with pytest.raises(CheckpointError, match="must be one of frames, events, not sheets"):
        MusicGrid.load(tmp_path)


def test_levels_of_loudness_are_told_apart() -> None:
    for levels in (1, 2, 8, 127):
        grid: Any = MusicGrid("events", 4, levels)
        assert [grid.level(grid.velocity(level)) for level in range(levels)] == list(range(levels))
