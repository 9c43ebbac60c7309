"""Which recordings are accepted: their length, their transcripts, and how much is held in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.config import SpeechDataConfig
from rnnapps.tasks.speech_recognition.data.utterance import Utterance, as_pcm, normalize_transcript
from rnnapps.types import Array

__all__ = ["checked_utterance", "held_in_memory"]

MAXIMUM_HOURS = 30.0
"""Recordings are held in memory as 16-bit samples: 3.5 GB at 16 kHz."""


def held_in_memory(utterances: Iterable[Utterance], config: SpeechDataConfig) -> list[Utterance]:
    """All utterances of a split, read one after another.

    Raises:
        DataError: they last too long for the memory.
    """
    kept, seconds = [], 0.0
    for utterance in utterances:
        seconds += utterance.seconds(config.sample_rate_hz)
        if seconds > MAXIMUM_HOURS * 3600:
            problem = f"the recordings last more than {MAXIMUM_HOURS:g} hours, the most that is read into memory"
            raise DataError(config.source, problem, "use a part of them")
        kept.append(utterance)
    return kept


def checked_utterance(
    samples: Array, transcript: str, *, speaker: str, name: str | Path, where: str, config: SpeechDataConfig
) -> Utterance:
    """An utterance that a network can learn from.

    Args:
        samples: float32 `(samples,)` of full scale 1.
        transcript: as its source has it.
        speaker: who speaks; empty where it is not known.
        name: what to call the recording.
        where: where its transcript stands, for errors.
        config: which ones are accepted.

    Raises:
        DataError: it has no samples, lasts too long, or its transcript is empty.
    """
    seconds = len(samples) / config.sample_rate_hz
    if not len(samples):
        raise DataError(name, f"holds no samples ({where})", "leave it out")
    if seconds > config.longest_seconds:
        problem = f"lasts {seconds:,.1f} s; at most data.longest_seconds = {config.longest_seconds:g} are accepted"
        raise DataError(name, problem, "cut it, or raise --data.longest_seconds")
    text = normalize_transcript(transcript, keep_punctuation=config.keep_punctuation)
    if not text:
        raise DataError(where, f"the transcript {transcript[:40]!r} of {name} has no letters", "write what is said")
    return Utterance(as_pcm(samples), text, speaker, str(name))
