"""Recordings that are larger than memory: decoded once, kept on disk, and read from there one by one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.digest import digest_files
from rnnapps.data.stored.arrays import ArrayWriter, StoredArray
from rnnapps.data.stored.counted import open_counted
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.row import Row
from rnnapps.tasks.speech_recognition.data.utterance import StoredSound, Utterance

__all__ = ["changed_sounds", "sound_bytes", "stored_utterances"]

FORMAT = "1"
"""Changes when the same files would be decoded to other samples."""

SAMPLES, ROWS = "samples.npy", "utterances.json"
PLAIN, LOSSLESS = (
    (".wav", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64", ".sph", ".nist"),
    (".flac",),
)


def sound_bytes(rows: Iterable[Row]) -> int:
    """About how many bytes of samples the files of rows hold: of FLAC twice their size, of lossy kinds ten times."""
    return sum(_expansion(path) * path.stat().st_size for path in _files(rows) if path.is_file())


def _expansion(path: Path) -> int:
    """How many times larger sound is than its file, about."""
    return 1 if plain_suffix(path) in PLAIN else 2 if plain_suffix(path) in LOSSLESS else 10


def _files(rows: Iterable[Row]) -> list[Path]:
    """The files that rows name, each once."""
    return [Path(name) for name in dict.fromkeys(str(row.audio) for row in rows if isinstance(row.audio, str | Path))]


def stored_utterances(
    rows: Sequence[Row], read: Iterator[Utterance], config: SpeechDataConfig, good: GoodExamples
) -> list[Utterance]:
    """The utterances of rows, on disk.

    Args:
        rows: where they are, and what is said in them.
        read: reads them, one by one; not asked where all have been read before.
        config: which ones are accepted.
        good: counts those that cannot be read.

    Raises:
        DataError: as `read`; or the disk is full.
    """
    settings = config.sample_rate_hz, config.longest_seconds, config.keep_punctuation, good.skips
    listed = [(row.name, row.transcript, row.speaker, row.place) for row in rows]
    digest = hashlib.sha256(repr((FORMAT, settings, listed)).encode())
    digest_files(digest, [path for path in _files(rows) if path.is_file()])
    kept = StoredFolders("sounds", config.cache_megabytes)
    folder = open_counted(kept, digest.hexdigest(), lambda made: _write(made, read), good)
    return _opened(folder)


def changed_sounds(
    utterances: Sequence[Utterance], name: str, change: Callable[[Utterance], Utterance], megabytes: int
) -> list[Utterance]:
    """Utterances of changed sound: on disk, where those are, and made once; else in memory.

    Args:
        utterances: what is changed.
        name: tells how.
        change: makes the utterance of each.
        megabytes: room that all that is kept may take.
    """
    sounds = [own.sound for own in utterances]
    stored = [sound for sound in sounds if isinstance(sound, StoredSound)]
    if len(stored) < len(sounds):
        return [change(own) for own in utterances]
    places = [(sound.samples.path.parent.name, sound.start, sound.end) for sound in stored]
    texts = [(own.transcript, own.speaker, own.name) for own in utterances]
    key = hashlib.sha256(repr((FORMAT, name, places, texts)).encode()).hexdigest()
    return _opened(StoredFolders("sounds", megabytes).open(key, lambda made: _write(made, map(change, utterances))))


def _write(folder: Path, utterances: Iterable[Utterance]) -> None:
    """Writes samples behind one another, and what is known of each."""
    rows = []
    with ArrayWriter(folder / SAMPLES, np.int16) as samples:
        for own in utterances:
            samples.append(own.samples)
            rows.append((samples.rows, own.transcript, own.speaker, own.name))
    (folder / ROWS).write_text(json.dumps(rows), encoding="utf-8")


def _opened(folder: Path) -> list[Utterance]:
    """The utterances of an entry."""
    samples, start, found = StoredArray(folder / SAMPLES), 0, []
    try:
        for end, transcript, speaker, name in json.loads((folder / ROWS).read_text(encoding="utf-8")):
            found.append(Utterance(StoredSound(samples, start, end), transcript, speaker, name))
            start = end
    except (OSError, ValueError, TypeError):
        raise DataError(folder, "what was kept here is damaged", "remove the folder and start again") from None
    return found
