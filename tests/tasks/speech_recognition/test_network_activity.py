"""The shipped network tells a voice from noise, better than loudness does, in sound that it was not trained on."""

from __future__ import annotations

from importlib import resources

import numpy as np

from rnnapps.tasks.speech_recognition.data.audio import parse_audio, resampled
from rnnapps.tasks.speech_recognition.segmentation.activity import Activity, scored_stretches
from rnnapps.tasks.speech_recognition.segmentation.energy import EnergyActivity, frame_decibels
from rnnapps.tasks.speech_recognition.segmentation.network_activity import (
    RATE_HZ,
    NetworkActivity,
    activity_features,
    activity_network,
    centred,
)

NUMBER = (resources.files("rnnapps.tasks.speech_recognition") / "playground" / "number.wav").read_bytes()


def talk(decibels: float) -> tuple[np.ndarray, np.ndarray]:
    """A spoken number again and again with pauses of 2 s, in white noise; and which frames are speech."""
    clip = parse_audio(NUMBER, "number.wav", sample_rate_hz=RATE_HZ)
    clip = clip[: len(clip) // 80 * 80]
    levels = frame_decibels(clip, 80)
    quiet = 2 * RATE_HZ
    sound = np.concatenate([np.pad(clip, (quiet, 0))] * 7)
    spoken = np.concatenate([np.pad(levels > levels.max() - 25, (quiet // 80, 0))] * 7)
    noise = np.random.default_rng(0).normal(0, np.sqrt(np.mean(clip**2)) * 10 ** (-decibels / 20), len(sound))
    return (sound + noise).astype(np.float32), spoken


def wrong(activity: Activity, sound: np.ndarray, spoken: np.ndarray, rate: int = RATE_HZ) -> float:
    scores = np.concatenate([own for _, own in scored_stretches([sound], activity, rate)])
    assert scores.shape == spoken.shape and scores.dtype == np.float32
    return float(np.mean((scores > 0) != spoken))


def test_it_hears_a_voice_in_noise_at_any_rate_and_loudness() -> None:
    sound, spoken = talk(0.0)
    errors = wrong(NetworkActivity(RATE_HZ), sound, spoken)
    assert errors < 0.2 and errors < 0.8 * wrong(EnergyActivity(RATE_HZ), sound, spoken)
    assert abs(wrong(NetworkActivity(RATE_HZ), 0.05 * sound, spoken) - errors) < 0.03
    double = resampled(sound, RATE_HZ, 2 * RATE_HZ, "x")
    assert abs(wrong(NetworkActivity(2 * RATE_HZ), double, spoken, 2 * RATE_HZ) - errors) < 0.03


def test_outputs_belong_to_the_frames_in_their_middle() -> None:
    network = activity_network()
    for frames in (40, 41, 42, 43, 44):
        features = np.zeros((1, frames, 24), np.float32)
        logits = network({"features": features, "lengths": np.array([frames], np.int32)})["logits"]
        places = centred(np.arange(frames))
        assert logits.shape == (1, len(places), 1) and places[0] == 6 and places[-1] + 6 < frames
    assert activity_features(np.zeros(8000, np.float32)).shape == (100, 24)
    assert activity_features(np.zeros(8010, np.float32)).shape == (101, 24)
