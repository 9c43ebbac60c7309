"""Waveforms to log-mel spectra with TensorFlow core ops: the same in tf.data, in training and when served."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

__all__ = ["LogMel"]

LOWEST_HZ = 20.0
FLOOR = 1e-5
"""Added to the power before the logarithm: some 20 dB above the rounding of 16-bit samples."""


@dataclass(frozen=True)
class LogMel:
    """Logarithm of the power in mel bands, frame by frame.

    Frames are not padded: frame t reads the samples from t * hop to t * hop + window, and there are as many as fit. The
    bands are triangles between 20 Hz and half the sample rate, evenly spaced on the mel scale 2595 log10(1 + f / 700).

    Attributes:
        sample_rate_hz: rate of the waveforms.
        window_samples: length of the (Hann) window.
        hop_samples: distance between frames.
        mels: number of bands.
    """

    sample_rate_hz: int
    window_samples: int
    hop_samples: int
    mels: int

    @property
    def transform_samples(self) -> int:
        """Length of the Fourier transform: the power of two whose bins are as narrow as the lowest bands."""
        highest_mel, lowest_mel = (_mel(hertz) for hertz in (self.sample_rate_hz / 2, LOWEST_HZ))
        spacing_hz = 700.0 * (10 ** ((highest_mel - lowest_mel) / (self.mels + 1) / 2595.0) - 1)
        return int(2 ** math.ceil(math.log2(max(self.window_samples, self.sample_rate_hz / spacing_hz))))

    def frames(self, samples: Any) -> Any:
        """Number of frames of so many samples, elementwise."""
        return tf.maximum((samples - self.window_samples) // self.hop_samples + 1, 0)

    def __call__(self, waveforms: Any) -> Any:
        """Log-mel spectra float32 `(batch, frames, mels)` of waveforms `(batch, samples)` of full scale 1."""
        spectra = tf.signal.stft(
            tf.cast(waveforms, tf.float32), self.window_samples, self.hop_samples, self.transform_samples
        )
        power = tf.math.real(spectra) ** 2 + tf.math.imag(spectra) ** 2
        bands = tf.signal.linear_to_mel_weight_matrix(
            self.mels, self.transform_samples // 2 + 1, self.sample_rate_hz, LOWEST_HZ, self.sample_rate_hz / 2
        )
        return tf.math.log(tf.linalg.matmul(power, bands) + FLOOR)


def _mel(hertz: float) -> float:
    return 2595.0 * math.log10(1 + hertz / 700.0)
