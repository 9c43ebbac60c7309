"""A recogniser that learns nothing: the transcript of the training recording that sounds most alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.tasks.speech_recognition.preprocessing.log_mel import LogMel
from rnnapps.types import Array

__all__ = ["MOST_KNOWN", "nearest_transcripts"]

MOST_KNOWN = 5_000
"""Training recordings that are compared with; of more, evenly spread ones."""
FRAMES, ROWS = 20, 32


def nearest_transcripts(log_mel: LogMel, known: Sequence[Utterance], asked: Sequence[Utterance]) -> list[str]:
    """The transcript of the nearest known recording, for each asked one.

    Each recording is its log-mel spectra, stretched or shortened to 20 frames, without their mean over time, which
    holds microphone and loudness; the nearest has the largest cosine.

    Args:
        log_mel: makes the spectra.
        known: training recordings.
        asked: held-out recordings.
    """
    chosen = [known[row] for row in np.unique(np.linspace(0, len(known) - 1, MOST_KNOWN).astype(int))]
    memory = _shapes(log_mel, chosen)
    nearest = np.argmax(_shapes(log_mel, asked) @ memory.T, axis=1)
    return [chosen[row].transcript for row in nearest]


def _shapes(log_mel: LogMel, utterances: Sequence[Utterance]) -> Array:
    """One vector of length 1 for each recording, float32 `(recordings, frames * mels)`."""
    order = np.argsort([utterance.size for utterance in utterances], kind="stable")
    shapes: list[Array] = [np.zeros(0)] * len(utterances)
    for first in range(0, len(order), ROWS):
        rows = order[first : first + ROWS]
        waveforms = [utterances[row].waveform() for row in rows]
        longest = max(log_mel.window_samples, *map(len, waveforms))
        padded = np.stack([np.pad(waveform, (0, longest - len(waveform))) for waveform in waveforms])
        spectra = np.asarray(log_mel(tf.constant(padded)))
        counts = np.asarray(log_mel.frames(tf.constant([len(waveform) for waveform in waveforms])))
        for row, own, count in zip(rows, spectra, counts, strict=True):
            shapes[row] = _shape(own[: max(int(count), 1)])
    return np.stack(shapes)


def _shape(spectra: Array) -> Array:
    """Spectra `(frames, mels)` at 20 places evenly spread in time, centred, as one vector of length 1."""
    places = np.linspace(0, len(spectra) - 1, FRAMES)
    below = np.floor(places).astype(int)
    above, share = np.minimum(below + 1, len(spectra) - 1), (places - below)[:, None]
    fitted = (1 - share) * spectra[below] + share * spectra[above]
    centred = (fitted - fitted.mean(axis=0)).ravel()
    vector: Array = centred / max(float(np.linalg.norm(centred)), 1e-12)
    return vector
