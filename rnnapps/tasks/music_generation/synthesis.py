"""Pieces as sound: a small additive synthesiser."""

from __future__ import annotations

import io
import wave

import numpy as np

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.types import Array

__all__ = ["LONGEST_SECONDS", "SAMPLE_RATE_HZ", "render_wav", "wav_file"]

SAMPLE_RATE_HZ = 22_050
ATTACK_SECONDS, RELEASE_SECONDS = 0.008, 0.12
PARTIALS = 8
LONGEST_SECONDS = 1800


def render_wav(piece: Piece, *, steps_per_beat: int) -> bytes:
    """A WAV file, 16 bit, one channel: each note a sum of harmonics that die away, the higher ones sooner.

    Raises:
        DataError: the piece lasts longer than half an hour.
    """
    begins = piece.seconds(steps_per_beat)
    seconds = float(begins[-1]) + RELEASE_SECONDS
    if seconds > LONGEST_SECONDS:
        problem = f"lasts {seconds:,.0f} s; at most {LONGEST_SECONDS:,} are rendered"
        raise DataError(piece.name or "piece", problem, "ask for fewer bars or give a faster --tempo_bpm")
    sound = np.zeros(int(seconds * SAMPLE_RATE_HZ) + SAMPLE_RATE_HZ // 10)
    for start, end, pitch, velocity in piece.notes.tolist():
        note = _note(pitch, begins[end] - begins[start]) * (velocity / 127)
        first = int(begins[start] * SAMPLE_RATE_HZ)
        sound[first : first + len(note)] += note[: len(sound) - first]
    return wav_file(sound[:, None])


def wav_file(sound: Array) -> bytes:
    """A WAV file, 16 bit, of sound `(samples, channels)`, its loudest sample at four fifths of what fits."""
    peak = float(np.abs(sound).max(initial=0.0))
    samples = np.round(sound * (0.8 * 32767 / peak if peak else 0.0)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def _note(pitch: int, seconds: float) -> Array:
    """One note of full loudness, with its release after `seconds`."""
    time = np.arange(int((seconds + RELEASE_SECONDS) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    sound = np.zeros_like(time)
    for partial in range(1, PARTIALS + 1):
        if frequency * partial < SAMPLE_RATE_HZ / 2:
            decay = np.exp(-time * (0.9 + 0.5 * partial) * (frequency / 262) ** 0.5)
            sound += np.sin(2 * np.pi * frequency * partial * time) * decay / partial**1.6
    rise = np.minimum(time / ATTACK_SECONDS, 1)
    fall = np.clip((seconds + RELEASE_SECONDS - time) / RELEASE_SECONDS, 0, 1)
    return sound * rise * fall
