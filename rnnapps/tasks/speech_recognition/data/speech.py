"""Recordings and transcripts from synthetic speech, manifests, folders, data sets and Python, split and decoded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rnnapps.data.archives import unpacked_source
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.item_splits import ItemSplits
from rnnapps.data.part_names import PARTS, parts_of
from rnnapps.data.sources import is_tfds
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.accepted import checked_utterance, held_in_memory
from rnnapps.tasks.speech_recognition.data.audio import read_audio
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.layouts import by_subset, list_given, list_rows, part_tables
from rnnapps.tasks.speech_recognition.data.manifests import MANIFEST_SUFFIXES
from rnnapps.tasks.speech_recognition.data.row import Row
from rnnapps.tasks.speech_recognition.data.sound import piece, read_sound
from rnnapps.tasks.speech_recognition.data.stored_sounds import sound_bytes, stored_utterances
from rnnapps.tasks.speech_recognition.data.utterance import Utterance
from rnnapps.types import Array

__all__ = ["UtteranceSplits", "read_utterance_splits"]

BUILTIN = "builtin"

Item = TypeVar("Item")


UtteranceSplits = ItemSplits[Utterance]


def read_utterance_splits(config: SpeechDataConfig, given: object = None) -> UtteranceSplits:
    """Reads the source and splits it.

    Args:
        config: the source, and how it is split.
        given: rows from Python instead of the source, see `list_given`.

    Raises:
        DataError: a source is missing, a file is damaged or too long, a transcript is empty, or there are too few
            recordings to split.
    """
    builtin = given is None and config.source == BUILTIN
    good = GoodExamples(config.source, config, noun="recordings", many=given is None)
    parts, dealt = (_builtin(config, good), ()) if builtin else _parts(config, given, good)
    skipped = good.finish()
    for name in PARTS:
        if not parts[name]:
            raise DataError(config.source, f"has no recordings for the {name} split", "give more recordings")
    source = "synthetic number strings spoken by eSpeak NG" if builtin else config.source
    return ItemSplits(**{name: tuple(parts[name]) for name in PARTS}, source=source, skipped=skipped, dealt=dealt)


def _builtin(config: SpeechDataConfig, good: GoodExamples) -> dict[str, list[Utterance]]:
    """Synthetic speech, but for the splits that have a source of their own."""
    from rnnapps.tasks.speech_recognition.data.spoken_numbers import spoken_numbers

    return {**spoken_numbers(config.builtin_utterances, sample_rate_hz=config.sample_rate_hz), **_named(config, good)}


def _parts(
    config: SpeechDataConfig, given: object, good: GoodExamples
) -> tuple[dict[str, list[Utterance]], tuple[str, ...]]:
    """Recordings of others, and which parts were dealt out; rows are, before any sound is read."""
    named = _named(config, good)
    if given is None and is_tfds(config.source):
        from rnnapps.tasks.speech_recognition.data.tfds import tfds_utterances

        own = tfds_utterances(config.source, config, good)
        completed = _completed(
            own, named, config, speaker=lambda utterance: utterance.speaker, key=lambda utterance: utterance.name
        )
        return completed, _missing(own, named)
    listed = _rows(config, good) if given is None else list_given(given)
    rows = _completed(listed, named, config, speaker=lambda row: row.speaker, key=lambda row: row.name)
    read = {name: named.get(name) or _read(rows[name], config, good) for name in PARTS}
    return read, _missing(listed, named)


def _missing(own: Mapping[str, Sequence[object]], named: Mapping[str, Sequence[object]]) -> tuple[str, ...]:
    """The parts that neither the source nor the configuration offers."""
    return tuple(name for name in PARTS if name not in own and name not in named)


def _named(config: SpeechDataConfig, good: GoodExamples) -> dict[str, list[Utterance]]:
    """The splits that have a source of their own."""
    sources = {"validation": config.validation, "test": config.test}
    return {
        name: _read(list_rows(unpacked_source(source), config.speaker_pattern, good), config, good)
        for name, source in sources.items()
        if source is not None
    }


def _rows(config: SpeechDataConfig, good: GoodExamples) -> dict[str, list[Row]]:
    """The rows of each manifest or subset that the source has; all under "train" where it has one for all."""
    root = unpacked_source(config.source)
    if not root.is_dir():
        return {"train": list_rows(root, config.speaker_pattern, good)}
    manifests = sorted(path for path in root.iterdir() if plain_suffix(path) in MANIFEST_SUFFIXES)
    paths = parts_of(manifests, root)
    if "train" in paths:
        return {name: list_rows(path, config.speaker_pattern, good) for name, (path,) in paths.items()}
    if folders := part_tables(root):
        return {
            name: [row for folder in own for row in list_rows(folder, config.speaker_pattern, good)]
            for name, own in folders.items()
        }
    return by_subset(list_rows(root, config.speaker_pattern, good), root)


def _completed(
    own: dict[str, list[Item]],
    named: dict[str, list[Utterance]],
    config: SpeechDataConfig,
    *,
    speaker: Callable[[Item], str],
    key: Callable[[Item], str],
) -> dict[str, list[Any]]:
    """All three splits; those that neither the source nor the configuration offers are dealt from the training part."""
    parts: dict[str, list[Any]] = {**own, **named}
    shares = {"validation": config.validation_fraction, "test": config.test_fraction}
    wanted = {name: shares[name] for name in _missing(own, named)}
    if not wanted:
        return parts
    items = sorted(parts["train"], key=key)
    by_speaker = config.hold_out == "speakers"
    names = sorted({speaker(item) for item in items}) if by_speaker else [str(number) for number in range(len(items))]
    if names == [""]:
        problem = "names no speaker, and data.hold_out is speakers"
        raise DataError(config.source, problem, "give a column `speaker`, or --data.speaker_pattern")
    if len(names) <= len(wanted):
        what = "speakers" if by_speaker else "recordings"
        problem = f"holds {len(names)} {what}; a split needs {len(wanted) + 1} at least"
        raise DataError(config.source, problem, "give more, or --data.validation and --data.test")
    order = [names[number] for number in np.random.default_rng(0).permutation(len(names))]
    groups: dict[str, str] = {}
    for name, share in wanted.items():
        count = max(1, round(share * len(names)))
        groups |= dict.fromkeys(order[:count], name)
        order = order[count:]
    labels = [speaker(item) for item in items] if by_speaker else names
    for name in (*wanted, "train"):
        parts[name] = [item for item, label in zip(items, labels, strict=True) if groups.get(label, "train") == name]
    return parts


def _read(rows: Sequence[Row], config: SpeechDataConfig, good: GoodExamples) -> list[Utterance]:
    """The recordings of rows; one that rows are pieces of is read, or refused, once for all that follow each other."""
    rate = config.sample_rate_hz

    @functools.lru_cache(maxsize=1)
    def whole(path: str | Path) -> Array | DataError:
        try:
            return read_audio(path, sample_rate_hz=rate)
        except DataError as error:
            return error

    def utterance(row: Row) -> Utterance:
        if row.span is None or not isinstance(row.audio, str | Path):
            samples = read_sound(row.audio, row.place, sample_rate_hz=rate)
        elif isinstance(recording := whole(row.audio), DataError):
            raise recording
        else:
            samples = piece(recording, row.span, row.place, sample_rate_hz=rate)
        return checked_utterance(
            samples, row.transcript, speaker=row.speaker, name=row.name, where=row.place, config=config
        )

    read = good.read(partial(utterance, row) for row in rows)
    files = all(isinstance(row.audio, str | Path) for row in rows)
    if not files or config.keeps_in_memory(config.source, sound_bytes(rows)):
        return held_in_memory(read, config)
    return stored_utterances(rows, read, config, good)
