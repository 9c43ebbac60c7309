"""What is transcribed, and how it is given out: the options of `predict` and `stream`. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rnnapps.config import require, require_choice
from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.segmentation.config import Segmentation

__all__ = ["ONE_INPUT", "PredictOptions", "Results"]

Results = Literal["words", "final", "partial"]

ONE_INPUT = "give either --file, a recording, or --microphone true"


@dataclass(frozen=True)
class PredictOptions:
    """What to transcribe; streams are always decoded greedily.

    Attributes:
        file: a recording (.wav, .flac, .ogg or .mp3), or a folder of them; `-` streams raw sound from standard input:
            16 bit, little endian, one channel, at the model's sample rate.
        microphone: stream from the microphone; needs the package sounddevice.
        chunk_ms: stream only: milliseconds of sound that are read at once.
        results: stream only: words gives words as soon as they are complete, and a line for each utterance; final a
            result with times behind each utterance; partial also one whenever more of it was recognised.
        rule1_min_trailing_silence: stream only: seconds of silence that end an utterance of which nothing was
            recognised.
        rule2_min_trailing_silence: stream only: seconds of silence that end any other.
        rule3_min_utterance_length: stream only: seconds after which one is parted between two words.
        transcript: predict only: text file of what is said, whose words get their times instead of recognised ones; of
            several recordings, {} in its name stands for that of each.
        output: predict only: file for the transcript with its times, .srt, .vtt, .ctm, .TextGrid or .json; of several
            recordings, {} in its name stands for that of each.
        segmentation: predict only: how longer recordings are cut: network at pauses, where a small recurrent network
            hears no voice; energy where they are no louder than their background; windows blindly.
        segment_seconds: predict only: longest segment; a recording that is no longer is transcribed whole. By default
            as long as the longest training recording, from 5 to 30.
        pause_seconds: predict only: shortest pause that ends a segment.
    """

    file: str = ""
    microphone: bool = False
    chunk_ms: float = 100.0
    results: Results = "words"
    rule1_min_trailing_silence: float = 2.4
    rule2_min_trailing_silence: float = 1.2
    rule3_min_utterance_length: float = 20.0
    transcript: str = ""
    output: str = ""
    segmentation: Segmentation = "network"
    segment_seconds: float | None = None
    pause_seconds: float = 0.5

    def __post_init__(self) -> None:
        """Checks the values."""
        if self.file and self.microphone:
            raise ConfigError(ONE_INPUT)
        require("chunk_ms", self.chunk_ms, "from 1 to 10,000", 1 <= self.chunk_ms <= 10_000)
        require_choice("results", self.results, Results)
        for number in ("rule1_min_trailing_silence", "rule2_min_trailing_silence", "rule3_min_utterance_length"):
            least = 1.0 if number.startswith("rule3") else 0.1
            value = getattr(self, number)
            require(number, value, f"from {least:g} to 3,600", least <= value <= 3600)
        segment = self.segment_seconds
        require("segment_seconds", segment, "from 1 to 900", segment is None or 1 <= segment <= 900)
        require("pause_seconds", self.pause_seconds, "from 0.1 to 60", 0.1 <= self.pause_seconds <= 60)
        require_choice("segmentation", self.segmentation, Segmentation)
        if self.output:
            from rnnapps.tasks.speech_recognition.transcript_files import OUTPUT_SUFFIXES

            fits = Path(self.output).suffix.lower() in OUTPUT_SUFFIXES
            require("output", repr(self.output), f"a file that ends in {', '.join(OUTPUT_SUFFIXES)}", fits)
