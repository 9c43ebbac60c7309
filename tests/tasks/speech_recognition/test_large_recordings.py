"""Recordings that are larger than memory may be: they sound as in memory, and so do batches of them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data import speech
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.speech import read_utterance_splits
from rnnapps.tasks.speech_recognition.data.stored_sounds import sound_bytes
from rnnapps.tasks.speech_recognition.data.utterance import StoredSound, wav_bytes
from rnnapps.tasks.speech_recognition.model_config import SpeechModelConfig, SpeechTrainingConfig
from rnnapps.tasks.speech_recognition.pipeline import PIPELINE, Config
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.tasks.speech_recognition.recordings import TrainingRecordings

MEMORY, DISK = {"memory_megabytes": 500}, {"memory_megabytes": 0}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sounds"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A manifest of recordings of different length, one of them damaged."""
    draw, rows = np.random.default_rng(0), [("audio", "transcript", "speaker")]
    for number in range(12):
        samples = draw.normal(0, 3000, 4000 + 300 * number).astype(np.int16)
        (tmp_path / f"{number}.wav").write_bytes(wav_bytes(samples, 8000))
        rows.append((f"{number}.wav", ("yes", "no")[number % 2], "ab"[number % 2]))
    (tmp_path / "4.wav").write_bytes(b"RIFF, but no sound")
    with open(tmp_path / "all.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path / "all.csv"


def both(source: Path, **settings: Any) -> list[Any]:
    """The settings and splits in memory and on disk."""
    configs = [
        SpeechDataConfig(str(source), sample_rate_hz=8000, bad_limit=0.2, **settings, **where)
        for where in (MEMORY, DISK)
    ]
    return [(config, read_utterance_splits(config)) for config in configs]


def test_recordings_are_the_same(source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    (_, memory), (config, disk) = both(source)
    assert "read from the cache folder, not kept in memory" in capsys.readouterr().err
    for part, own in disk.named().items():
        for stored, kept in zip(own, memory.named()[part], strict=True):
            assert isinstance(stored.sound, StoredSound) and stored.size == kept.size
            np.testing.assert_array_equal(stored.samples, kept.samples)
            assert (stored.transcript, stored.speaker, stored.name) == (kept.transcript, kept.speaker, kept.name)
    assert disk.digest() == memory.digest() and disk.skipped == memory.skipped != ()

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(speech, "read_sound", fail)
    again = read_utterance_splits(config)
    assert again.digest() == memory.digest() and again.skipped == memory.skipped


def test_batches_are_the_same_bit_for_bit(source: Path) -> None:
    found = []
    for config, splits in both(source, join_minimum=1, join_maximum=2, join_passes=2):
        model = SpeechModelConfig(mels=16)
        features = SpeechFeatures.fit(splits.train, config, model)
        training = SpeechTrainingConfig(batch_size=4, speeds=(1.0, 1.1), carry_state=False)
        recordings = TrainingRecordings(splits.train, features, config, training, seed=1)
        found.append((features, [*recordings.batches(2).take(2).as_numpy_iterator()]))
    (first, batches), (second, others) = found
    np.testing.assert_array_equal(first.normalization.mean, second.normalization.mean)
    for one, other in zip(batches, others, strict=True):
        np.testing.assert_array_equal(one["inputs"]["features"], other["inputs"]["features"])
        np.testing.assert_array_equal(one["targets"], other["targets"])


def test_what_is_changed_is_decoded_again(source: Path) -> None:
    before = both(source)[1][1]
    samples = np.full(5000, 1000, np.int16)
    (source.parent / "7.wav").write_bytes(wav_bytes(samples, 8000))
    after = both(source)[1][1]
    changed = [own for part in after.named().values() for own in part if own.name.endswith("7.wav")]
    np.testing.assert_array_equal(changed[0].samples, samples)
    assert before.digest() != after.digest()


def test_a_look_at_recordings_on_disk(source: Path) -> None:
    memory, disk = (PIPELINE.look(Config(data=config)) for config, _ in both(source))
    assert (disk.facts, disk.parts, disk.cautions) == (memory.facts, memory.parts, memory.cautions)
    assert disk.costs["memory of the recordings, MB"] == 0 < memory.costs["memory of the recordings, MB"]


def test_what_was_kept_and_is_damaged_is_told(source: Path, cache: Path) -> None:
    both(source)
    for path in cache.glob("*/samples.npy"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="missing or damaged; remove its folder"):
        both(source)


def test_compressed_sound_counts_as_what_it_unpacks_to(tmp_path: Path) -> None:
    from rnnapps.tasks.speech_recognition.data.row import Row

    for name in ("a.wav", "a.flac", "a.opus"):
        (tmp_path / name).write_bytes(bytes(100))
    rows = [Row(tmp_path / name, "", "", "") for name in ("a.wav", "a.wav", "a.flac", "a.opus", "none.wav")]
    assert sound_bytes(rows) == 100 + 200 + 1000
