from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.speech_recognition import nearest_recording
from rnnapps.tasks.speech_recognition.data.utterance import Utterance, as_pcm
from rnnapps.tasks.speech_recognition.nearest_recording import nearest_transcripts
from rnnapps.tasks.speech_recognition.preprocessing.log_mel import LogMel

LOG_MEL = LogMel(8000, 200, 80, 20)


def glide(first: float, last: float, seconds: float, loudness: float = 0.3) -> Utterance:
    """A tone that goes from one frequency to another, called "up" or "down"."""
    time = np.arange(round(8000 * seconds)) / 8000
    phase = 2 * np.pi * (first * time + (last - first) * time**2 / (2 * seconds))
    noise = np.random.default_rng(int(first)).normal(size=len(time))
    return Utterance(as_pcm(loudness * np.sin(phase) + 0.003 * noise), "up" if last > first else "down")


KNOWN = [glide(400, 1600, 0.5), glide(1600, 400, 0.5)]


def test_speed_and_loudness_do_not_count() -> None:
    asked = [
        glide(420, 1500, 0.9, 0.1),
        glide(1500, 420, 0.3, 0.6),
        glide(380, 1700, 0.4),
        Utterance(KNOWN[0].samples, ""),
    ]
    assert nearest_transcripts(LOG_MEL, KNOWN, asked) == ["up", "down", "up", "up"]


def test_what_is_shorter_than_a_window_is_compared_too() -> None:
    assert nearest_transcripts(LOG_MEL, KNOWN, [Utterance(np.zeros(3, np.int16), "")])[0] in ("up", "down")


def test_of_many_recordings_evenly_spread_ones_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_recording, "MOST_KNOWN", 2)
    known = [KNOWN[0], *(Utterance(KNOWN[0].samples, "left out") for _ in range(5)), KNOWN[1]]
    assert nearest_transcripts(LOG_MEL, known, KNOWN) == ["up", "down"]
