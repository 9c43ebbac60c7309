from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.piano_roll import plot_piano_roll
from rnnapps.tasks.music_generation.synthesis import SAMPLE_RATE_HZ, render_wav


def samples_of(piece: Piece) -> np.ndarray:
    with wave.open(io.BytesIO(render_wav(piece, steps_per_beat=1))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def test_a_note_sounds_at_its_pitch_and_time() -> None:
    sound = samples_of(Piece(np.array([[2, 4, 69, 80]], np.int32), tempo_bpm=60.0))
    assert not sound[: 2 * SAMPLE_RATE_HZ].any() and np.abs(sound).max() == pytest.approx(0.8 * 32767, abs=1)
    second = sound[2 * SAMPLE_RATE_HZ : 3 * SAMPLE_RATE_HZ]
    assert np.abs(np.fft.rfft(second)).argmax() == 440  # one bin a hertz


def test_silence_and_endless_pieces() -> None:
    assert not samples_of(Piece(np.zeros((0, 4), np.int32))).any()
    with pytest.raises(DataError, match="at most 1,800 are rendered"):
        render_wav(Piece(np.array([[0, 4000, 69, 80]], np.int32), tempo_bpm=60.0), steps_per_beat=1)


def test_a_piano_roll_says_what_it_shows() -> None:
    plot = plot_piano_roll(
        Piece(np.array([[0, 4, 60, 80], [4, 8, 67, 80]], np.int32)), steps_per_beat=2, primer_steps=4, title="Two"
    )
    assert plot.alt == "Two: piano roll of 2 notes between pitch 60 and 67 over 4 beats. The first 2 were given."
    assert plot.png().startswith(b"\x89PNG")
