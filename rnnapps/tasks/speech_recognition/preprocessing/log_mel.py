"""Waveforms to log-mel spectra with TensorFlow core ops: the same in tf.data, in training and when served."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor

__all__ = ["LogMel"]

LOWEST_HZ = 20.0
FLOOR = 1e-5
"""Added to the power before the logarithm: some 20 dB above the rounding of 16-bit samples."""


@dataclass(frozen=True)
class LogMel:
    """Logarithm of the power in mel bands, frame by frame.

    Frames are not padded: frame t reads the samples from t * hop to t * hop + window, and there are as many as fit. The
    bands are triangles between 20 Hz and half the sample rate, evenly spaced on HTK's mel scale,
    2595 log10(1 + f / 700), as librosa makes them without normalisation.

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

    def frames(self, samples: Tensor) -> Tensor:
        """Number of frames of so many samples, elementwise."""
        return tf.maximum((samples - self.window_samples) // self.hop_samples + 1, 0)

    def __call__(self, waveforms: Tensor) -> Tensor:
        """Log-mel spectra float32 `(batch, frames, mels)` of waveforms `(batch, samples)` of full scale 1."""
        spectra = tf.signal.stft(
            tf.cast(waveforms, tf.float32), self.window_samples, self.hop_samples, self.transform_samples
        )
        power = tf.math.real(spectra) ** 2 + tf.math.imag(spectra) ** 2
        return tf.math.log(tf.linalg.matmul(power, tf.constant(self.bands())) + FLOOR)

    def bands(self) -> Array:
        """Weight of each bin of the power in each band, float32 `(bins, mels)`: triangles, 1 at their peaks."""
        mels = np.linspace(_mel(LOWEST_HZ), _mel(self.sample_rate_hz / 2), self.mels + 2)
        corners = 700.0 * (10 ** (mels / 2595.0) - 1)
        bins = np.linspace(0, self.sample_rate_hz / 2, self.transform_samples // 2 + 1)[:, None]
        rising = (bins - corners[:-2]) / np.diff(corners)[:-1]
        falling = (corners[2:] - bins) / np.diff(corners)[1:]
        weights: Array = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
        return weights


def _mel(hertz: float) -> float:
    """A frequency on HTK's mel scale."""
    return 2595.0 * math.log10(1 + hertz / 700.0)
