from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.segmentation.config import segment_seconds
from tests.tasks.speech_recognition.small import DATA, make_features, make_model, utterances


def test_stored_normalisation_is_that_of_the_training_data() -> None:
    features = make_features()
    spectra = [
        features.normalization.by_training_data(features.log_mel(each.waveform()[None]))[0] for each in utterances()
    ]
    joined = np.concatenate(spectra)
    np.testing.assert_allclose(joined.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(joined.std(axis=0), 1, atol=1e-3)


def test_normalisation_by_utterance_is_deaf_to_loudness_and_padding() -> None:
    features = make_features(normalization="utterance")
    sound = utterances()[0].waveform()[None]
    lengths = tf.constant([sound.shape[1]])
    plain, frames = features(tf.constant(sound), lengths)
    loud, _ = features(tf.constant(sound * 2), lengths)
    long, _ = features(tf.constant(np.pad(sound, [[0, 0], [0, 999]], constant_values=0.5)), lengths)
    np.testing.assert_allclose(long[:, : int(frames[0])], plain, atol=1e-4)
    inner = slice(20, -25)
    assert np.abs(loud[0, inner] - plain[0, inner]).mean() < 0.2 * np.abs(plain[0, inner]).mean()


def test_geometry() -> None:
    features = make_features()
    frames = features.log_mel.frames(5000 + features.head_samples + features.tail_samples)
    outputs = (int(frames) - features.frames_read) // features.frames_per_output + 1
    assert features.outputs(5000) == outputs == (5000 + 1600) // 160
    assert features.seconds_per_output == 0.02 and features.samples_read == 200 + 8 * 80


def test_it_is_saved_and_damage_is_told(tmp_path: Path) -> None:
    features = make_features()
    features.save(tmp_path)
    again = SpeechFeatures.load(tmp_path)
    assert again.log_mel == features.log_mel and again.alphabet.symbols == features.alphabet.symbols
    np.testing.assert_array_equal(again.normalization.mean, features.normalization.mean)
    path = tmp_path / "speech_features.json"
    content = json.loads(path.read_text())
    for change in ({"mels": 5}, {"normalization": "none"}, {"deviation": [0] * 12}, {"mean": "x"}):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises(CheckpointError, match="is no front end"):
            SpeechFeatures.load(tmp_path)


def test_the_longest_recording_is_known_and_limits_segments(tmp_path: Path) -> None:
    features, model = make_features(), make_model()
    longest = max(len(each.samples) for each in utterances()) / DATA.sample_rate_hz
    assert features.longest_seconds == longest > 0
    assert features.grow(utterances(["hi lo mid hi lo mid hi lo mid"]), DATA, model).longest_seconds > longest
    assert features.grow(utterances(["hi"]), DATA, model).longest_seconds == longest
    features.save(tmp_path)
    assert SpeechFeatures.load(tmp_path).longest_seconds == longest
    path = tmp_path / "speech_features.json"
    path.write_text(
        json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key[:4] != "long"})
    )
    assert SpeechFeatures.load(tmp_path).longest_seconds == 30  # of a model that was made before
    assert [segment_seconds(trained) for trained in (0.7, 12.5, 600)] == [5, 12.5, 30]


def test_growing_keeps_the_front_end() -> None:
    features, model = make_features(), make_model()
    grown = features.grow(utterances(["lo zu"[:2], "mid"]), DATA, model)
    assert grown.alphabet.symbols[: len(features.alphabet.symbols)] == features.alphabet.symbols
    for data, other, complaint in (
        (SpeechDataConfig(sample_rate_hz=16_000), model, "sample_rate_hz must be that of the model"),
        (SpeechDataConfig(sample_rate_hz=8000, unit="words"), model, "unit must be"),
        (DATA, make_model(mels=20), "mels must be"),
        (DATA, make_model(strides=(3,)), "strides must be"),
    ):
        with pytest.raises(ConfigError, match=complaint):
            features.grow(utterances(), data, other)
