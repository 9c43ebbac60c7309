"""Transcripts of recordings of any length: cut into segments, which are transcribed in batches, and put together."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.sound import Sound
from rnnapps.tasks.speech_recognition.data.sound_blocks import sound_blocks
from rnnapps.tasks.speech_recognition.results import LongTranscription, TranscribedSegment, Word
from rnnapps.tasks.speech_recognition.segmentation.activity import Activity
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig
from rnnapps.tasks.speech_recognition.segmentation.energy import EnergyActivity
from rnnapps.tasks.speech_recognition.segmentation.segments import Segment, between_pauses, blind_windows
from rnnapps.tasks.speech_recognition.transcription import ROWS, Transcriber, Transcript
from rnnapps.types import Array

__all__ = ["is_long", "segments_of", "transcribe_long"]

BATCHES = 4
"""As many are put together from segments of similar length at once."""


def is_long(sound: Sound, place: str, *, sample_rate_hz: int, seconds: float) -> bool:
    """Whether a recording lasts longer than so many seconds; one that cannot be read does not."""
    heard = 0
    try:
        for block in sound_blocks(sound, place, sample_rate_hz=sample_rate_hz):
            heard += len(block)
            if heard > seconds * sample_rate_hz:
                return True
    except DataError:
        pass  # whoever reads it whole says what is wrong
    return False


def transcribe_long(
    transcriber: Transcriber, sound: Sound, place: str, segmentation: SegmentationConfig, *, timed: bool = False
) -> LongTranscription:
    """What is said in a recording of any length, in memory that does not depend on it.

    Args:
        transcriber: transcribes segments.
        sound: the recording.
        place: what to call it.
        segmentation: how it is cut.
        timed: tell the real-time factor at the end on standard error.

    Raises:
        DataError: it is missing or damaged.
    """
    rate, begun, heard = transcriber.features.sample_rate_hz, time.perf_counter(), _Counted()
    blocks = heard.counting(sound_blocks(sound, place, sample_rate_hz=rate))
    together, cut = _Together(rate), 0
    for group in _groups(segments_of(blocks, segmentation, rate), ROWS * segmentation.longest_seconds * rate):
        cut += len(group)
        together.add(group, transcriber([segment.samples for segment in group]))
    seconds = heard.samples / rate
    factor = (time.perf_counter() - begun) / seconds
    if timed:
        print(f"{place}: {seconds:,.0f} s of sound in {cut:,} segments; real-time factor {factor:.3f}", file=sys.stderr)
    return together.transcription(str(sound) if isinstance(sound, str | Path) else "")


def segments_of(blocks: Iterable[Array], config: SegmentationConfig, sample_rate_hz: int) -> Iterator[Segment]:
    """The segments of a recording, block by block float32 `(samples,)`."""
    if config.method == "windows":
        return blind_windows(blocks, config, sample_rate_hz)
    activity: Activity = EnergyActivity(sample_rate_hz)
    if config.method == "network":
        from rnnapps.tasks.speech_recognition.segmentation.network_activity import NetworkActivity

        activity = NetworkActivity(sample_rate_hz)
    return between_pauses(blocks, activity, config, sample_rate_hz)


@dataclass
class _Counted:
    """How many samples have gone by."""

    samples: int = 0

    def counting(self, blocks: Iterable[Array]) -> Iterator[Array]:
        """The same blocks, counted."""
        for block in blocks:
            self.samples += len(block)
            yield block


@dataclass
class _Together:
    """The transcripts of segments, put together."""

    sample_rate_hz: int
    segments: list[TranscribedSegment] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    sure: float = 0.0
    samples: int = 0

    def add(self, segments: Iterable[Segment], transcripts: Iterable[Transcript]) -> None:
        """Appends what was recognised in further segments."""
        for segment, found in zip(segments, transcripts, strict=True):
            self.sure += found.confidence * len(segment.samples)
            self.samples += len(segment.samples)
            if not found.text:
                continue
            start = segment.start / self.sample_rate_hz
            end = start + len(segment.samples) / self.sample_rate_hz
            times = [(word, round(start + first, 3), round(start + last, 3)) for word, first, last in found.words]
            self.words += itertools.starmap(Word, times)
            own = TranscribedSegment(round(start, 3), round(end, 3), found.text, found.confidence)
            self.segments.append(own)

    def transcription(self, file: str) -> LongTranscription:
        """One transcript of all."""
        confidence = self.sure / self.samples if self.samples else 1.0
        text = " ".join(segment.transcript for segment in self.segments)
        return LongTranscription(file, text, confidence, tuple(self.words), tuple(self.segments))


def _groups(segments: Iterable[Segment], most_samples: float) -> Iterator[list[Segment]]:
    """Segments that are transcribed together: enough for some batches, but not longer than so much altogether."""
    group: list[Segment] = []
    samples = 0
    for segment in segments:
        group.append(segment)
        samples += len(segment.samples)
        if len(group) == BATCHES * ROWS or samples >= most_samples:
            yield group
            group, samples = [], 0
    if group:
        yield group
