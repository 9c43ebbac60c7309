from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.espeak import SpokenAs, Synthesizer
from rnnapps.tasks.speech_recognition.data.spoken_numbers import (
    HELD_OUT_VOICES,
    TRAINING_VOICES,
    number_words,
    spoken_numbers,
)

pytest.importorskip("espeakng_loader")


def test_numbers_in_words() -> None:
    assert [number_words(each) for each in (0, 13, 20, 47, 100, 999)] == [
        "zero",
        "thirteen",
        "twenty",
        "forty seven",
        "one hundred",
        "nine hundred ninety nine",
    ]


def test_held_out_voices_are_other_voices() -> None:
    groups = [TRAINING_VOICES, *HELD_OUT_VOICES.values()]
    variants = [{voice.partition("+")[2] for voice in group} for group in groups]
    assert len(set.union(*variants)) == sum(map(len, variants)) and len(TRAINING_VOICES) > 200


def test_voices_speeds_and_pitches_sound_different() -> None:
    speaker = Synthesizer()
    plain = speaker.speak("seven", SpokenAs("en-us+m1"))
    fast = speaker.speak("seven", SpokenAs("en-us+m1", words_per_minute=300))
    assert speaker.sample_rate_hz == 22_050 and plain.dtype == np.int16
    assert len(fast) < 0.8 * len(plain)
    low, high = (_pitch(speaker.speak("seven", SpokenAs("en-us+m1", pitch=each))) for each in (10, 90))
    female = _pitch(speaker.speak("seven", SpokenAs("en-us+f2", pitch=10)))
    assert high > 1.3 * low and female > 1.3 * low
    with pytest.raises(DataError, match="has no voice 'xx-none'"):
        speaker.speak("seven", SpokenAs("xx-none"))


def test_the_same_texts_in_the_same_order_sound_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoken() -> list[np.ndarray]:
        speaker = Synthesizer()
        return [speaker.speak("six four", SpokenAs(f"en-us+{variant}")) for variant in ("m1", "f2", "klatt", "m1")]

    first, second = spoken(), spoken()
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], first[3])  # the voice flutters on
    monkeypatch.setattr("rnnapps.tasks.speech_recognition.data.espeak.SEED", 2)
    assert not np.array_equal(first[1], spoken()[1])  # and breathes at random


def _pitch(samples: np.ndarray) -> float:
    """Hertz of the strongest repetition between 50 and 500 Hz in the middle of a word."""
    middle = samples[len(samples) // 4 : len(samples) // 2].astype(np.float64)
    correlation = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    return 22_050 / (44 + int(correlation[44:441].argmax()))


def test_recordings_are_kept_and_damage_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "rnnapps"))
    monkeypatch.setattr("rnnapps.tasks.speech_recognition.data.spoken_numbers.LEAST_HELD_OUT", 3)
    first = spoken_numbers(5, sample_rate_hz=8000)
    assert [len(first[name]) for name in ("train", "validation", "test")] == [5, 3, 3]
    assert all(each.speaker in HELD_OUT_VOICES["test"] and len(each.samples) > 1000 for each in first["test"])
    files = sorted((tmp_path / "rnnapps").iterdir())
    assert len(files) == 3
    with monkeypatch.context() as patch:
        patch.setattr("rnnapps.tasks.speech_recognition.data.spoken_numbers.Synthesizer", None)
        second = spoken_numbers(5, sample_rate_hz=8000)
    files[0].write_bytes(files[0].read_bytes()[:100])
    third = spoken_numbers(5, sample_rate_hz=8000)
    for name, part in first.items():
        for one, two, three in zip(part, second[name], third[name], strict=True):
            assert one.transcript == two.transcript == three.transcript
            assert np.array_equal(one.samples, two.samples) and np.array_equal(one.samples, three.samples)
