from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.metrics.music_diagnostics import longest_repetition, music_diagnostics, share_in_key
from rnnapps.tasks.music_generation.metrics.note_events import baselines, event_metrics


def melody(*pitches: int, length: int = 1) -> Piece:
    rows = [[length * n, length * (n + 1), pitch, 80] for n, pitch in enumerate(pitches)]
    return Piece(np.array(rows, np.int32))


def test_figures_of_a_small_piece() -> None:
    found = music_diagnostics([melody(60, 64, 60, 64, length=2)], steps_per_beat=4)
    assert found == {
        "pitch_class_entropy_bits": 1.0,
        "notes_per_beat": 2.0,
        "notes_at_once": 1.0,
        "longest_repetition_beats": 0.75,  # silent steps after the last repeated note do not count
        "share_in_key": 1.0,
    }
    assert music_diagnostics([Piece(np.zeros((0, 4), np.int32))], steps_per_beat=4) == {}


def test_repetitions_do_not_overlap() -> None:
    assert longest_repetition(melody(*[60] * 9)) == 4
    assert longest_repetition(melody(60, 62, 64, 65, 60, 62, 64, 67)) == 3
    assert longest_repetition(melody(60, 62, 64)) == 0


def test_keys_are_major_scales_on_any_tonic() -> None:
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    for tonic in range(12):
        assert share_in_key(melody(*(60 + tonic + scale))) == 1.0
    assert share_in_key(melody(*range(60, 72))) == pytest.approx(7 / 12)


def test_event_metrics_and_baselines_by_hand() -> None:
    found = event_metrics(np.log([2.0, 8.0]), np.array([True, False]), np.array([False, True]))
    assert found == {
        "nats_per_event": pytest.approx(np.log(4)),
        "event_perplexity": pytest.approx(4.0),
        "next_note_accuracy": 0.0,
    }
    train, held_out = np.array([0, 1, 2, 1, 2, 1, 1]), np.array([0, 1, 2, 2])
    scored = baselines(train, held_out, np.array([False, True, True, True]), tokens=3)
    # one of six training pairs repeats: (1 + 1) / (7 + 1); of the three scored events the last repeats
    by_hand = -(2 * np.log(0.75 / 2) + np.log(0.25)) / 3
    assert scored["repeat the last event"]["nats_per_event"] == pytest.approx(by_hand)
    assert scored["repeat the last event"]["next_note_accuracy"] == pytest.approx(1 / 3)
    assert scored["first-order Markov"]["next_note_accuracy"] == pytest.approx(2 / 3)
    assert scored["unigram"]["next_note_accuracy"] == pytest.approx(1 / 3)
