"""Random changes of recordings in training: loudness, noise, and masks over the spectrum, keyed by (seed, step)."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.tasks.speech_recognition.model_config import SpeechTrainingConfig
from rnnapps.types import Tensor

__all__ = ["augment_spectra", "augment_waveforms"]

QUIETEST = 1e-4
"""Loudness that silence is taken for when noise is added to it."""


def augment_waveforms(waveforms: Tensor, lengths: Tensor, config: SpeechTrainingConfig, seed: Tensor) -> Tensor:
    """Changes the loudness of each row, and adds noise to some.

    The noise is white, or brown to a random degree: a share of each sample carries over to the next.

    Args:
        waveforms: float32 `(batch, samples)`.
        lengths: int32 `(batch,)`.
        config: how much of what.
        seed: int64 `(2,)`.
    """
    batch = waveforms.shape[0]
    share, decibels, gain, colour = tf.unstack(tf.random.stateless_uniform((4, batch), seed, alg="philox"))
    inside = tf.sequence_mask(lengths, tf.shape(waveforms)[1])
    # Noise as loud as the recording less the drawn ratio in decibels: level = rms 10^(-ratio / 20).
    energy = tf.reduce_sum(waveforms**2, axis=1) / tf.cast(tf.maximum(lengths, 1), tf.float32)
    ratio = config.noise_lowest_db + decibels * (config.noise_highest_db - config.noise_lowest_db)
    level = tf.sqrt(tf.maximum(energy, QUIETEST**2)) * 10.0 ** (-ratio / 20)
    level = tf.where(share < config.noise_share, level, 0.0)
    noise = tf.random.stateless_normal(tf.shape(waveforms), seed + 1, alg="philox")
    smooth = (noise + tf.pad(noise, [[0, 0], [1, 0]])[:, :-1] + tf.pad(noise, [[0, 0], [2, 0]])[:, :-2]) / 3**0.5
    noise = noise + colour[:, None] * (smooth - noise)
    loudness = 10.0 ** ((2 * gain - 1) * config.gain_db / 20)
    return tf.where(inside, (waveforms + level[:, None] * noise) * loudness[:, None], 0.0)


def augment_spectra(
    spectra: Tensor, frames: Tensor, config: SpeechTrainingConfig, seed: Tensor, *, hop_ms: float
) -> Tensor:
    """Masks bands of frequencies and stretches of time with the mean, 0 (SpecAugment, arXiv:1904.08779, section 2).

    Args:
        spectra: normalised, float32 `(batch, frames, mels)`.
        frames: int32 `(batch,)`, valid frames of each row.
        config: how many and how long.
        seed: int64 `(2,)`.
        hop_ms: time between frames.
    """
    batch, mels = spectra.shape[0], spectra.shape[2]
    count = config.frequency_masks + config.time_masks
    if not count:
        return spectra
    sizes, places = tf.unstack(tf.random.stateless_uniform((2, count, batch), seed + 2, alg="philox"))
    masked = tf.zeros_like(spectra, tf.bool)
    for number in range(count):
        over_time = number >= config.frequency_masks
        longest = config.time_mask_ms / hop_ms if over_time else float(min(config.frequency_mask_mels, mels))
        extent = tf.cast(frames, tf.float32) if over_time else tf.fill([batch], float(mels))
        size = tf.floor(sizes[number] * (longest + 1))
        first = tf.floor(places[number] * tf.maximum(extent - size + 1, 1))
        axis = tf.range(tf.shape(spectra)[1] if over_time else mels, dtype=tf.int32)
        position = tf.cast(axis, tf.float32)[None]
        # (batch, frames) or (batch, mels): SpecAugment's f0 <= f < f0 + f, t0 <= t < t0 + t.
        hidden = (position >= first[:, None]) & (position < (first + size)[:, None])
        masked = masked | (hidden[:, :, None] if over_time else hidden[:, None, :])
    return tf.where(masked, 0.0, spectra)
