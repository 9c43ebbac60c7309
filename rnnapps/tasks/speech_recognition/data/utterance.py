"""One recorded utterance with what was said in it."""

from __future__ import annotations

import io
import unicodedata
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.data.stored.arrays import StoredArray
from rnnapps.types import Array

__all__ = [
    "FULL_SCALE",
    "SCALE",
    "StoredSound",
    "Utterance",
    "as_pcm",
    "most_frequent",
    "normalize_transcript",
    "wav_bytes",
]

FULL_SCALE = 32767
SCALE = 32768.0
"""int16 samples divided by this are of full scale 1."""


@dataclass(frozen=True)
class StoredSound:
    """A recording on disk, among others of one file.

    Attributes:
        samples: of all of them.
        start: its first sample.
        end: behind its last sample.
    """

    samples: StoredArray
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def read(self) -> Array:
        """int16 `(samples,)`; raises DataError where the disk does not give them."""
        return self.samples[self.start : self.end]


@dataclass(frozen=True)
class Utterance:
    """A recording and its transcript.

    Attributes:
        sound: int16 `(samples,)`, one channel; or where it is on disk.
        transcript: normalised, see `normalize_transcript`.
        speaker: who speaks; empty where it is not known.
        name: what to call the recording.
    """

    sound: Array | StoredSound
    transcript: str
    speaker: str = ""
    name: str = ""

    @property
    def samples(self) -> Array:
        """The sound, int16 `(samples,)`, read from disk where it is there."""
        return self.sound.read() if isinstance(self.sound, StoredSound) else self.sound

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.sound)

    def content(self) -> tuple[Array, str]:
        """Samples and transcript."""
        return self.samples, self.transcript

    def seconds(self, sample_rate_hz: int) -> float:
        """Duration in seconds."""
        return self.size / sample_rate_hz

    def waveform(self) -> Array:
        """float32 `(samples,)` of full scale 1."""
        waveform: Array = self.samples.astype(np.float32) / np.float32(SCALE)
        return waveform


def wav_bytes(samples: Array, sample_rate_hz: int) -> bytes:
    """A WAV file, 16 bit, one channel, of int16 samples."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def as_pcm(samples: Array) -> Array:
    """Samples of full scale 1 as int16; what is louder is brought down to full scale as a whole, not clipped."""
    peak = float(np.abs(samples).max(initial=0.0))
    pcm: Array = np.round(samples * (FULL_SCALE / max(peak, 1.0))).astype(np.int16)
    return pcm


def normalize_transcript(text: str, *, keep_punctuation: bool = False) -> str:
    """Brings a transcript into the form that is learned and scored.

    Unicode NFC, lower case, one space between words. Unless punctuation is kept, only letters (with their marks),
    digits and apostrophes within words stay; what stands between them is a space.
    """
    text = unicodedata.normalize("NFC", text).lower().replace("’", "'")
    if not keep_punctuation:
        text = "".join(sign if unicodedata.category(sign)[0] in "LMN" or sign == "'" else " " for sign in text)
        text = " ".join(word.strip("'") for word in text.split())
    return " ".join(text.split())


def most_frequent(transcripts: Sequence[str]) -> str:
    """The commonest transcript; of several, the first in alphabetical order."""
    counts: dict[str, int] = {}
    for transcript in transcripts:
        counts[transcript] = counts.get(transcript, 0) + 1
    return min(counts, key=lambda transcript: (-counts[transcript], transcript))
