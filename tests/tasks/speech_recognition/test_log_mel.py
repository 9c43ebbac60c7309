from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.speech_recognition.preprocessing.log_mel import FLOOR, LOWEST_HZ, LogMel


def sweep(rate: int) -> np.ndarray:
    """A rising tone with some noise, float32 `(rate,)`."""
    time = np.arange(rate) / rate
    noise = np.random.default_rng(0).normal(size=rate)
    return (0.3 * np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.01 * noise).astype(np.float32)


def test_a_frame_is_what_its_definition_says() -> None:
    layer, sound = LogMel(8_000, 200, 80, 24), sweep(8_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(200) / 200)
    angle = -2j * np.pi * np.outer(np.arange(200), np.arange(129)) / 256
    power = np.abs((sound[7 * 80 : 7 * 80 + 200] * window) @ np.exp(angle)) ** 2
    mel = 2595 * np.log10(1 + np.array([20.0, 4000.0]) / 700)
    corners = 700 * (10 ** (np.linspace(*mel, 26) / 2595) - 1)
    weights = np.stack([np.interp(np.arange(129) * 31.25, corners[n : n + 3], [0, 1, 0]) for n in range(24)], axis=1)
    assert layer.transform_samples == 256
    np.testing.assert_allclose(layer(sound[None])[0, 7], np.log(power @ weights + FLOOR), atol=1e-4)


@pytest.mark.slow  # librosa compiles its functions for half a minute
@pytest.mark.parametrize(
    ("rate", "window", "hop", "mels"), [(16_000, 400, 160, 40), (16_000, 400, 160, 80), (8_000, 200, 80, 40)]
)
def test_spectra_are_those_of_librosa(rate: int, window: int, hop: int, mels: int) -> None:
    import librosa

    sound, layer = sweep(rate), LogMel(rate, window, hop, mels)
    size = layer.transform_samples
    margin = (size - window) // 2  # librosa's window stands in the middle of its transform
    power = librosa.feature.melspectrogram(
        y=np.pad(sound, (margin, size - window - margin)),
        sr=rate,
        n_fft=size,
        hop_length=hop,
        win_length=window,
        center=False,
        n_mels=mels,
        fmin=LOWEST_HZ,
        fmax=rate / 2,
        htk=True,
        norm=None,
    )
    found = np.asarray(layer(sound[None]))[0]
    expected = np.log(power.T + FLOOR)
    assert found.shape == expected.shape == (int(layer.frames(len(sound))), mels)
    deviation = expected.std(axis=0)
    assert np.abs((found - expected) / deviation).max() <= 1e-4


def test_bins_are_narrow_enough_for_every_band() -> None:
    for rate, window, mels in ((8_000, 200, 40), (16_000, 400, 80), (48_000, 1200, 64)):
        assert (LogMel(rate, window, 100, mels).bands().sum(axis=0) > 0).all()
