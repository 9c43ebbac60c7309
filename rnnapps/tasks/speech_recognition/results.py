"""What is found in a recording, as people look at it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LongTranscription", "TranscribedSegment", "Transcription", "Word"]


@dataclass(frozen=True)
class Word:
    """A word and when it was said.

    Attributes:
        word: as it is written.
        start: its beginning, in seconds from that of the recording.
        end: its end, likewise.
    """

    word: str
    start: float
    end: float


@dataclass(frozen=True)
class Transcription:
    """What was recognised in a recording.

    Attributes:
        file: the recording's file; empty for sound that came from none.
        transcript: what was said.
        confidence: probability of the transcript given the sound, by the network alone, 0 to 1.
        words: its words in their order, with their times.
    """

    file: str
    transcript: str
    confidence: float
    words: tuple[Word, ...]


@dataclass(frozen=True)
class TranscribedSegment:
    """What was recognised in a segment of a recording.

    Attributes:
        start: its beginning, in seconds from that of the recording.
        end: its end, likewise.
        transcript: what was said.
        confidence: as that of a `Transcription`, of this segment alone.
    """

    start: float
    end: float
    transcript: str
    confidence: float


@dataclass(frozen=True)
class LongTranscription(Transcription):
    """What was recognised in a recording that was cut into segments.

    Its confidence is the mean of those of all segments, weighted by their lengths.

    Attributes:
        segments: those in which something was recognised.
    """

    segments: tuple[TranscribedSegment, ...]
