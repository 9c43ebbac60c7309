from __future__ import annotations

import numpy as np

from rnnapps.tasks.speech_recognition.spectrogram import plot_spectrogram


def test_the_picture_says_what_was_heard_when() -> None:
    spectra = np.random.default_rng(0).normal(size=(50, 20))
    words = [("one", 0.05, 0.2), ("two", 0.3, 0.41)]
    plot = plot_spectrogram(spectra, words, frame_seconds=0.01, title="Said: one two")
    assert plot.alt == "Said: one two: spectrogram of 0.50 s with one from 0.05 to 0.20 s; two from 0.30 to 0.41 s."
    picture = plot.picture()
    assert b"<image" in picture.light and picture.light != picture.dark
    assert plot.png().startswith(b"\x89PNG")


def test_a_recording_without_frames_or_words() -> None:
    plot = plot_spectrogram(np.zeros((0, 20)), [], frame_seconds=0.01, title="Nothing")
    assert "with no word" in plot.alt and plot.png().startswith(b"\x89PNG")
