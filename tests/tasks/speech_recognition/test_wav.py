from __future__ import annotations

import io
import random

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from rnnapps.tasks.speech_recognition.preprocessing.wav import decode_wavs
from tests.tasks.speech_recognition.recordings import mutate


def wav(samples: np.ndarray, rate: int, subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


def test_files_of_any_length_channels_and_rate() -> None:
    sound = np.round(np.random.default_rng(0).uniform(-0.5, 0.5, 50) * 32768) / 32768
    files = [wav(sound, 8000), wav(np.zeros(0), 8000), wav(np.stack([sound, -sound], 1), 8000), wav(sound, 16_000)]
    waveforms, lengths = decode_wavs(tf.constant(files), 8000)
    assert lengths.numpy().tolist() == [50, 0, 50, 25]
    np.testing.assert_allclose(waveforms[0], sound, atol=1e-6)
    assert not waveforms[1].numpy().any() and not waveforms[2].numpy().any() and not waveforms[3, 25:].numpy().any()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT"])
def test_other_encodings_are_errors(subtype: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_wavs(tf.constant([wav(np.zeros(10), 8000, subtype)]), 8000)


@pytest.mark.slow
def test_thousands_of_mutated_files_are_waveforms_or_errors_of_the_request() -> None:
    signature = [tf.TensorSpec((None,), tf.string)]
    decode = tf.function(lambda contents: decode_wavs(contents, 16_000), input_signature=signature, autograph=False)
    sound = np.sin(np.arange(3000) * 0.3) * 0.5
    originals, draw, valid = [wav(sound, 8000), wav(np.stack([sound, sound], 1), 44_100)], random.Random(0), 0
    for _ in range(2000):
        try:
            waveforms, lengths = decode(tf.constant([mutate(draw.choice(originals), draw)]))
        except (tf.errors.InvalidArgumentError, UnicodeDecodeError):  # TensorFlow may quote the file's bytes
            continue
        assert np.isfinite(waveforms.numpy()).all() and waveforms.shape[1] == int(lengths[0])
        valid += 1
    assert 200 < valid < 1800
