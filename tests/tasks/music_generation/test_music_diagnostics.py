from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnnapps.metrics.ngram import KneserNey
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.metrics.music_diagnostics import longest_repetition, music_diagnostics, share_in_key
from rnnapps.tasks.music_generation.metrics.note_events import event_metrics, score_baselines


def baselines(train: Any, held_out: Any, note_on: Any, *, tokens: int) -> dict[str, dict[str, float]]:
    """The metrics of each baseline, n-grams by the name of all."""
    scored = score_baselines(train, held_out, note_on, tokens=tokens, boundary=0)
    names = {name: "n-grams" if "gram " in name else name for name in scored}
    return {names[name]: score.metrics() for name, score in scored.items()}


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
    assert scored["n-grams"]["next_note_accuracy"] == pytest.approx(2 / 3)
    assert scored["unigram"]["next_note_accuracy"] == pytest.approx(1 / 3)


def test_figures_are_means_over_pieces_with_notes() -> None:
    silent = Piece(np.zeros((0, 4), np.int32))
    found = music_diagnostics([melody(60, 64), silent, melody(60, 60, 60, 60)], steps_per_beat=2)
    assert found["pitch_class_entropy_bits"] == pytest.approx((1 + 0) / 2)
    assert found["notes_per_beat"] == 2
    assert found["longest_repetition_beats"] == (0 + 2 / 2) / 2


def test_notes_at_once_count_while_anything_sounds() -> None:
    """Two notes of 4 and 2 steps begin together, then silence, then one of 2 steps: 8 steps of notes in 6."""
    piece = Piece(np.array([[0, 4, 60, 80], [0, 2, 64, 80], [6, 8, 67, 80]], np.int32))
    found = music_diagnostics([piece], steps_per_beat=4)
    assert found["notes_at_once"] == pytest.approx(8 / 6)
    assert found["notes_per_beat"] == pytest.approx(3 * 4 / 8)
    assert found["pitch_class_entropy_bits"] == pytest.approx(np.log2(3))


def test_octaves_are_one_pitch_class() -> None:
    entropy = music_diagnostics([melody(48, 60, 72)], steps_per_beat=1)["pitch_class_entropy_bits"]
    assert str(entropy) == "0.0"  # not -0.0
    assert share_in_key(melody(60, 61, 73)) == pytest.approx(1)  # C and C sharp are in the scale of A flat


def test_a_passage_is_chords_not_single_notes() -> None:
    """C E together, then G, then C alone, then G: only G returns; then the chord again: two steps return."""
    rows = [[0, 1, 60], [0, 1, 64], [1, 2, 67], [2, 3, 60], [3, 4, 67]]
    piece = Piece(np.array([[*row, 80] for row in rows], np.int32))
    assert longest_repetition(piece) == 1
    more = [*rows, [4, 5, 64], [4, 5, 60], [5, 6, 67]]
    assert longest_repetition(Piece(np.array([[*row, 80] for row in more], np.int32))) == 2


def test_event_metrics_of_what_strikes_a_key() -> None:
    found = event_metrics(np.log([2.0, 8.0, 4.0]), np.array([True, False, True]), np.array([True, True, False]))
    assert found["next_note_accuracy"] == 0.5
    assert event_metrics(np.ones(1), np.array([True]), np.array([False]))["next_note_accuracy"] == 0


def test_the_first_event_is_not_scored() -> None:
    """Nor counted among the notes that were expected."""
    train, held_out = np.array([0, 1] * 10), np.array([1, 0, 1])
    scored = baselines(train, held_out, np.array([True, True, False]), tokens=2)
    # No pair repeats: (0 + 1) / (20 + 1); both scored events are the other token.
    assert scored["repeat the last event"]["nats_per_event"] == pytest.approx(-np.log(20 / 21))
    assert scored["repeat the last event"]["next_note_accuracy"] == 0
    assert scored["n-grams"]["next_note_accuracy"] == 1
    assert scored["unigram"]["next_note_accuracy"] == 1  # 0 comes first of the commonest tokens
    name = next(
        name for name in score_baselines(train, held_out, held_out > 0, tokens=2, boundary=0) if "gram " in name
    )
    model = KneserNey(train, order=int(name[0]), vocabulary_size=2)
    assert scored["n-grams"]["nats_per_event"] == pytest.approx(model.nats_per_character(held_out))


def test_events_are_counted_piece_by_piece() -> None:
    """Each piece ends with a boundary, 0, which is an event of its own; the one before the first is none."""
    held_out = np.array([0, 1, 2, 0, 2, 0, 1, 1, 1, 0])
    for score in score_baselines(np.array([0, 1, 2] * 9), held_out, held_out > 0, tokens=3, boundary=0).values():
        assert score.piece.tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
        assert score.by_piece == pytest.approx(
            np.array([[score.nats[score.piece == n].sum(), c] for n, c in ((0, 3), (1, 2), (2, 4))])
        )
