"""Recordings and transcripts of TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.part_names import parts_of
from rnnapps.data.sources import tfds_builder
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.accepted import checked_utterance, held_in_memory
from rnnapps.tasks.speech_recognition.data.audio import resampled
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.utterance import SCALE, Utterance
from rnnapps.types import Array

__all__ = ["tfds_utterances"]

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

AUDIOS, TEXTS, SPEAKERS = ("audio", "speech"), ("text", "transcript", "label"), ("speaker_id", "speaker")


def tfds_utterances(source: str, config: SpeechDataConfig, good: GoodExamples) -> dict[str, list[Utterance]]:
    """The utterances of each split: those whose names begin with train, validation or dev, and test.

    A data set has a feature `audio` or `speech`, and its transcripts in `text`, `transcript`, or as the name or names
    of a class `label`, as `librispeech`, `spoken_digit` and `yes_no` have them. Where names say that a split has a
    clean and another variant (`test_clean`, `test_other`), all count.

    Raises:
        DataError: there is no such data set, or it has not these features.
    """
    builder = tfds_builder(source)
    features = builder.info.features
    audio, text = (next((name for name in names if name in features), None) for names in (AUDIOS, TEXTS))
    if audio is None or text is None:
        problem = f"has the features {', '.join(features)}; expected audio, and text or label"
        raise DataError(source, problem, "use a data set such as tfds:spoken_digit")
    splits = parts_of(builder.info.splits, source, subsets=True)
    if "train" not in splits:
        raise DataError(source, f"has no split train; it has {', '.join(builder.info.splits)}", "use another")
    return {
        part: held_in_memory(
            good.read(
                utterance
                for split in own
                for utterance in _utterances(builder, source, split, names=(audio, text), config=config)
            ),
            config,
        )
        for part, own in splits.items()
    }


def _utterances(
    builder: tfds.core.DatasetBuilder, source: str, split: str, *, names: tuple[str, str], config: SpeechDataConfig
) -> Iterator[Callable[[], Utterance]]:
    """What reads each utterance of one split; `names` are those of the features with the sound and the text."""
    import tensorflow_datasets as tfds

    features, (audio, text) = builder.info.features, names
    rate = int(features[audio].sample_rate or config.sample_rate_hz)
    speaker = next((name for name in SPEAKERS if name in features), None)
    rows = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))

    def utterance(number: int, row: Mapping[str, Any]) -> Utterance:
        where = f"{source} split {split} row {number}"
        samples = resampled(_full_scale(row[audio], where), rate, config.sample_rate_hz, where)
        name = "" if speaker is None else str(_plain(row[speaker]))
        transcript = _transcript(features[text], row[text])
        return checked_utterance(samples, transcript, speaker=name, name=where, where=where, config=config)

    for number, row in enumerate(rows.as_numpy_iterator()):
        yield partial(utterance, number, row)


def _full_scale(samples: Array, where: str) -> Array:
    """float32 `(samples,)`, full scale 1; integers are of 16 bits, as TensorFlow Datasets stores audio."""
    samples = np.asarray(samples)
    mono = samples if samples.ndim == 1 else samples.mean(axis=-1)
    scaled = mono.astype(np.float32) / (1.0 if np.issubdtype(samples.dtype, np.floating) else SCALE)
    if not np.isfinite(scaled).all():
        raise DataError(where, "its audio has values that are no numbers", "leave it out")
    return scaled


def _transcript(feature: tfds.features.FeatureConnector, value: bytes | Array) -> str:
    """Text as it is; of classes the names."""
    names = getattr(getattr(feature, "feature", feature), "int2str", None)
    if names is not None:
        return " ".join(names(int(number)) for number in np.atleast_1d(value))
    return str(_plain(value))


def _plain(value: object) -> object:
    """Bytes as text; anything else as it is."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value
