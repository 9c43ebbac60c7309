"""When somebody speaks, by a small recurrent network of ours that was trained on synthetic voices in noise."""

from __future__ import annotations

from functools import cache
from importlib import resources

import keras
import numpy as np
import soxr
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.tasks.speech_recognition.network import speech_network
from rnnapps.tasks.speech_recognition.preprocessing.log_mel import LogMel
from rnnapps.tasks.speech_recognition.segmentation.activity import FRAMES_A_SECOND
from rnnapps.types import Array

__all__ = [
    "CONVOLUTION_STRIDE",
    "RATE_HZ",
    "WEIGHTS",
    "NetworkActivity",
    "activity_features",
    "activity_network",
    "centred",
]

RATE_HZ = 8000
LOG_MEL = LogMel(RATE_HZ, 200, 80, 24)
CONVOLUTION_STRIDE, FRAMES_READ = 4, 13
"""Frames between two outputs, and those that one output reads."""

FLOOR_QUANTILE, SCALE = 0.1, 3.0
CONTEXT_FRAMES = 200
"""Before and behind a stretch, read with it."""

WEIGHTS = str(resources.files("rnnapps.tasks.speech_recognition.segmentation") / "voice_activity.npz")
"""What `python -m models.voice_activity` wrote."""


class NetworkActivity:
    """Scores frames by the logit of somebody speaking.

    The network reads log-mel spectra above their floor, the tenth percentile of each band over half a minute: it hears
    neither loudness nor the colour of a steady background. Two convolutions of stride 2, and a GRU in both directions.

    Args:
        sample_rate_hz: of the sound, which is converted to 8 kHz.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz

    def __call__(self, before: Array, stretch: Array, behind: Array) -> Array:
        """Logits of the frames of a stretch, float32 `(frames,)`; see `Activity`."""
        frame = self.sample_rate_hz // FRAMES_A_SECOND
        first, count = len(before) // frame, -(-len(stretch) // frame)
        sound = np.concatenate([before, stretch, behind])
        if self.sample_rate_hz != RATE_HZ:
            # Frames are hundredths of a second less what does not divide the rate: 10 ms are 220 samples of 22,050 Hz.
            sound = soxr.resample(sound, frame * FRAMES_A_SECOND, RATE_HZ, quality="HQ").astype(np.float32)
        features = activity_features(sound)
        begin, end = max(0, first - CONTEXT_FRAMES), first + count + CONTEXT_FRAMES
        logits = _logits(features[begin:end])
        scores: Array = logits[first - begin : first - begin + count]
        return scores


def activity_features(samples: Array) -> Array:
    """Log-mel spectra above their floor, float32 `(frames, bands)`, of samples at 8 kHz, a frame for each 10 ms."""
    missing = LOG_MEL.window_samples - LOG_MEL.hop_samples
    padded = np.pad(samples, (0, missing + -len(samples) % LOG_MEL.hop_samples))
    spectra = np.asarray(LOG_MEL(padded[None]))[0]
    floor = np.quantile(spectra, FLOOR_QUANTILE, axis=0)
    features: Array = ((spectra - floor) / SCALE).astype(np.float32)
    return features


def activity_network() -> keras.Model:
    """The network, as `speech_network` makes those of recognisers, with one output instead of symbols."""
    config = RecurrentConfig(cell="gru", units=24, layers=1, bidirectional=True)
    return speech_network(config, mels=LOG_MEL.mels, symbols=1, strides=(2, 2), convolution_units=24, kernel_frames=5)


def centred(values: Array) -> Array:
    """What belongs to each output of the network, of values of all frames: that of the middle frame which it reads."""
    return values[FRAMES_READ // 2 : len(values) - FRAMES_READ // 2 : CONVOLUTION_STRIDE]


@cache
def _trained() -> tf.types.experimental.PolymorphicFunction:
    """The network with its weights, as one graph of features `(frames, bands)` to logits `(outputs,)`."""
    network = activity_network()
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        network.set_weights([stored[name].astype(np.float32) for name in sorted(stored)])

    def logits(features: tf.Tensor) -> tf.Tensor:
        outputs = network({"features": features[None], "lengths": tf.shape(features)[:1]})
        return outputs["logits"][0, :, 0]

    signature = [tf.TensorSpec((None, LOG_MEL.mels), tf.float32)]
    return tf.function(logits, input_signature=signature, autograph=False)


def _logits(features: Array) -> Array:
    """A logit for each frame, float32 `(frames,)`, of features `(frames, bands)`."""
    padded = np.pad(features, ((FRAMES_READ // 2 - 1, FRAMES_READ), (0, 0)), mode="edge")  # output 0 hears frame 1
    outputs = _trained()(tf.constant(padded)).numpy()
    repeated: Array = np.repeat(outputs, CONVOLUTION_STRIDE)[: len(features)]
    return repeated
