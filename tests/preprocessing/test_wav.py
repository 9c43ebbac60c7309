from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from rnnapps.preprocessing.wav import decode_wavs


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
