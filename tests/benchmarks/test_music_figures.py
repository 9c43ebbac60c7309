from __future__ import annotations

import numpy as np
import pytest

from benchmarks.music_figures import figures
from rnnapps.tasks.music_generation.data.piece import Piece


def test_silent_pieces_count() -> None:
    """Four quarter notes in eight beats, of two of them the second half silent; and a piece without a note."""
    notes = Piece(np.array([[0, 2, 60, 80], [2, 4, 64, 80], [4, 6, 67, 80], [6, 8, 60, 80]], np.int32))
    found = figures([notes, Piece(np.zeros((0, 4), np.int32))], beats=8, steps_per_beat=2)
    assert found == {
        "notes_per_bar": 1.0,
        "notes_at_once": 1.0,
        "share_in_key": 1.0,
        "longest_repetition_beats": pytest.approx(0.5),
        "silent_pieces": 0.5,
        "silent_steps": 0.75,
    }
