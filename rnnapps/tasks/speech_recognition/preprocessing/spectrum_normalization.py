"""Normalisation of spectra, by the training data or by each utterance itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import tensorflow as tf

from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.tasks.speech_recognition.preprocessing.log_mel import LogMel
from rnnapps.types import Array, Tensor

__all__ = ["SpectrumNormalization"]

Kind = Literal["stored", "utterance"]

FITTED_UTTERANCES = 300
SMALLEST_DEVIATION, SMALLEST_VARIANCE = 1e-3, 1e-2


@dataclass(frozen=True)
class SpectrumNormalization:
    """Brings each band to a mean of 0 and a deviation of 1.

    Attributes:
        kind: "stored" uses mean and deviation of the training data, "utterance" those of each utterance.
        mean: of each band over the training data `(mels,)`.
        deviation: the same, the standard deviation, above 0.

    Raises:
        ValueError: an attribute is none of these.
    """

    kind: Kind
    mean: Array
    deviation: Array

    def __post_init__(self) -> None:
        """Checks the values, which may come from a file."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"normalization {self.kind!r}")
        if self.mean.ndim != 1 or self.mean.shape != self.deviation.shape or not (self.deviation > 0).all():
            raise ValueError("mean and deviation differ in size, or a deviation is not above 0")

    @classmethod
    def fit(cls, kind: Kind, utterances: Sequence[Utterance], log_mel: LogMel) -> SpectrumNormalization:
        """Mean and standard deviation of each band, over utterances spread evenly over the training split."""
        count = min(len(utterances), FITTED_UTTERANCES)
        chosen = [utterances[number] for number in np.linspace(0, len(utterances) - 1, count).astype(int)]
        spectra = [np.zeros((0, log_mel.mels))]
        for utterance in chosen:
            waveform = np.pad(utterance.waveform(), (0, max(0, log_mel.window_samples - utterance.size)))
            spectra.append(np.asarray(log_mel(waveform[None]))[0])
        joined = np.concatenate(spectra).astype(np.float64)
        return cls(kind, joined.mean(axis=0), np.maximum(joined.std(axis=0), SMALLEST_DEVIATION))

    def by_training_data(self, spectra: Tensor) -> Tensor:
        """Spectra `(..., mels)` by the stored mean and deviation."""
        return (spectra - tf.constant(self.mean, tf.float32)) / tf.constant(self.deviation, tf.float32)

    def by_utterance(self, spectra: Tensor, heard: Tensor) -> Tensor:
        """Spectra `(batch, frames, mels)` by those of each row.

        Args:
            spectra: the spectra.
            heard: bool `(batch, frames)`, the frames that count.
        """
        weight = tf.cast(heard, tf.float32)[..., None]
        count = tf.maximum(tf.reduce_sum(weight, axis=1, keepdims=True), 1.0)
        mean = tf.reduce_sum(spectra * weight, axis=1, keepdims=True) / count
        variance = tf.reduce_sum((spectra - mean) ** 2 * weight, axis=1, keepdims=True) / count
        return (spectra - mean) / tf.sqrt(variance + SMALLEST_VARIANCE)
