from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.speech_recognition.data import accepted
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.speech import read_utterance_splits
from tests.tasks.speech_recognition.recordings import audio_bytes, say, write_manifest


def config(source: object, **settings: Any) -> SpeechDataConfig:
    return SpeechDataConfig(source=str(source), sample_rate_hz=8000, **settings)


def test_a_folder_with_its_own_test_split(tmp_path: Path) -> None:
    write_manifest(tmp_path, 10)
    write_manifest(tmp_path, 3, name="test.csv", seed=1)
    splits = read_utterance_splits(config(tmp_path, validation_fraction=0.2))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [8, 2, 3]
    again = read_utterance_splits(config(tmp_path, validation_fraction=0.2))
    assert [each.name for each in again.validation] == [each.name for each in splits.validation]
    assert splits.test[0].samples.dtype == np.int16
    assert again.digest() == splits.digest()


def test_compressed_manifests_are_the_parts_that_their_names_say(tmp_path: Path) -> None:
    for path in (write_manifest(tmp_path, 5), write_manifest(tmp_path, 3, name="test.csv", seed=1)):
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    splits = read_utterance_splits(config(tmp_path, validation_fraction=0.2))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [4, 1, 3]


def test_speakers_of_a_folder_are_found_in_the_names_of_its_files(tmp_path: Path) -> None:
    for number in range(12):
        name = f"{number}_{'abcd'[number % 4]}"
        (tmp_path / f"{name}.wav").write_bytes(audio_bytes(say("hi lo")))
        (tmp_path / f"{name}.txt.gz").write_bytes(gzip.compress(b"hi lo"))
    splits = read_utterance_splits(config(tmp_path, hold_out="speakers", speaker_pattern="_(.)"))
    groups = [{each.speaker for each in part} for part in (splits.train, splits.validation, splits.test)]
    assert [len(group) for group in groups] == [2, 1, 1] and set.union(*groups) == set("abcd")


def test_speakers_are_held_out_whole(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, 12)
    splits = read_utterance_splits(config(path, hold_out="speakers"))
    groups = [{each.speaker for each in part} for part in (splits.train, splits.validation, splits.test)]
    assert [len(group) for group in groups] == [2, 1, 1] and len(set.union(*groups)) == 4


def test_splits_of_their_own(tmp_path: Path) -> None:
    train, other = write_manifest(tmp_path, 5), write_manifest(tmp_path, 2, name="other.csv", seed=3)
    splits = read_utterance_splits(config(train, validation=str(other), test=str(other)))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [5, 2, 2]


@pytest.mark.parametrize(
    ("line", "settings", "complaint"),
    [
        ("gone.wav,lo", {}, r"gone\.wav: does not exist"),
        ("train_0.wav,!?", {}, r"line [2-5]: the transcript '!\?' of .* has no letters"),
        (
            "train_0.wav,lo",
            {"longest_seconds": 0.1},
            r"train_0\.wav: lasts 0\.\d s; at most data.longest_seconds = 0.1",
        ),
        ("empty.wav,lo", {}, r"empty\.wav: holds no samples"),
        ("train_0.wav,lo", {}, "holds 1 recordings; a split needs 3"),
        (
            "train_0.wav,lo",
            {"hold_out": "speakers"},
            "names no speaker, and data.hold_out is speakers; give a column `speaker`",
        ),
    ],
)
def test_bad_rows(line: str, settings: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    path = write_manifest(tmp_path, 1)
    (tmp_path / "empty.wav").write_bytes(audio_bytes(np.zeros(0)))
    path.write_text("audio,transcript\n" + f"{line}\n" * (1 if complaint.startswith("holds") else 4))
    with pytest.raises(DataError, match=complaint):
        read_utterance_splits(config(path, **settings))


def test_there_is_a_limit_to_what_is_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_manifest(tmp_path, 10)
    assert len(read_utterance_splits(config(path)).train) == 8
    monkeypatch.setattr(accepted, "MAXIMUM_HOURS", 0.5 / 3600)
    with pytest.raises(DataError, match=r"train\.csv: the recordings last more than .* hours, the most"):
        read_utterance_splits(config(path))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"unit": "syllables"}, "must be one of characters, words"),
        ({"hold_out": "rooms"}, "must be one of clips, speakers"),
        ({"join_minimum": 4, "join_maximum": 2}, "join_maximum must be at least join_minimum"),
        ({"speaker_pattern": "("}, "must be a regular expression"),
        ({"speaker_pattern": "a"}, "a group in brackets"),
        ({"sample_rate_hz": 100}, "must be from 4,000 to 48,000"),
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        SpeechDataConfig(**settings)


@pytest.mark.parametrize("name", ["spoken_digit", "librispeech", "yes_no"])
def test_data_sets_of_tensorflow(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    original = tfds.builder
    names = ("train_clean100", "dev_clean", "test_clean", "test_other") if name == "librispeech" else ("train",)

    def with_splits(builder_name: str, **_: Any) -> Any:
        builder = original(builder_name, data_dir=str(tmp_path))
        if not builder.info.splits:
            splits = [tfds.core.SplitInfo(name=each, shard_lengths=[5], num_bytes=0) for each in names]
            builder.info.set_splits(tfds.core.SplitDict(splits))
        return builder

    rows = {
        "spoken_digit": {
            "audio": tf.cast(tf.constant(say("lo")) * 20_000, tf.int64),
            "label": tf.constant(7, tf.int64),
        },
        "librispeech": {
            "speech": tf.cast(tf.constant(say("lo", rate=16_000)) * 20_000, tf.int64),
            "text": tf.constant(b"GO DO"),
            "speaker_id": tf.constant(84, tf.int64),
        },
        "yes_no": {
            "audio": tf.cast(tf.constant(say("lo hi")) * 20_000, tf.int64),
            "label": tf.constant([1, 0], tf.int64),
        },
    }
    monkeypatch.setattr(tfds, "builder", with_splits)
    one = tf.data.Dataset.from_tensors(rows[name]).repeat(5)
    with tfds.testing.mock_data(as_dataset_fn=lambda *_, **__: one):
        splits = read_utterance_splits(config(f"tfds:{name}"))
    expected = {"spoken_digit": "7", "librispeech": "go do", "yes_no": "yes no"}[name]
    assert {each.transcript for each in splits.train} == {expected}
    counts = [len(part) for part in (splits.train, splits.validation, splits.test)]
    assert counts == ([5, 5, 10] if name == "librispeech" else [3, 1, 1])
    assert splits.train[0].samples.std() > 500
    monkeypatch.setattr(accepted, "MAXIMUM_HOURS", 1e-6)
    with (
        tfds.testing.mock_data(as_dataset_fn=lambda *_, **__: one),
        pytest.raises(DataError, match=f"tfds:{name}: the recordings last more than"),
    ):
        read_utterance_splits(config(f"tfds:{name}"))
