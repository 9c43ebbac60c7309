"""A recogniser too small to learn much, for tests of what surrounds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.utterance import Utterance, as_pcm
from rnnapps.tasks.speech_recognition.model_config import SpeechModelConfig
from rnnapps.tasks.speech_recognition.network import speech_network
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from tests.tasks.speech_recognition.recordings import say

__all__ = ["DATA", "TEXTS", "compiled", "make_features", "make_model", "make_network", "utterances"]

DATA = SpeechDataConfig(sample_rate_hz=8000)
TEXTS = ("lo hi", "mid", "hi hi lo", "lo", "mid lo mid", "hi")


def compiled(function: Any) -> Any:
    """A function of waveforms and lengths as one graph for all sizes, as evaluation and serving have it."""
    signature = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)]
    return tf.function(function, input_signature=signature, autograph=False)


def utterances(texts: Sequence[str] = TEXTS, speaker: str = "") -> list[Utterance]:
    return [
        Utterance(as_pcm(say(text, seed=number)), text, speaker, f"clip {number}") for number, text in enumerate(texts)
    ]


def make_model(**settings: Any) -> SpeechModelConfig:
    small = {"units": 12, "layers": 2, "mels": 12, "convolution_units": 10, "bidirectional": False, "dropout": 0.0}
    return SpeechModelConfig(**{**small, **settings})


def make_features(
    model: SpeechModelConfig | None = None, *, normalization: Literal["stored", "utterance"] = "stored"
) -> SpeechFeatures:
    model = model or make_model(normalization=normalization)
    return SpeechFeatures.fit(utterances(), DATA, model)


def make_network(features: SpeechFeatures, model: SpeechModelConfig | None = None, *, seed: int = 0) -> keras.Model:
    """With weights large enough that outputs differ."""
    model = model or make_model()
    keras.utils.set_random_seed(seed)
    network = speech_network(
        model,
        mels=features.log_mel.mels,
        symbols=features.alphabet.size,
        strides=model.strides,
        convolution_units=model.convolution_units,
        kernel_frames=model.kernel_frames,
    )
    for weight in network.weights:
        weight.assign(np.asarray(weight) * 2.5)
    return network
