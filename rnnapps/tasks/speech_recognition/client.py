"""A client of served recognisers of speech, with a method for what they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rnnapps.client import Client
from rnnapps.client.content import content_of

__all__ = ["Heard", "SpeechClient"]


@dataclass(frozen=True)
class Heard:
    """What was recognised.

    Attributes:
        transcript: the words.
        confidence: how sure the model is, from 0 to 1.
        words: each word with the seconds at which it begins and ends.
    """

    transcript: str
    confidence: float
    words: tuple[tuple[str, float, float], ...]


class SpeechClient(Client):
    """Asks a model that recognises speech; see `Client`."""

    def transcribe(self, audio: bytes | str | Path) -> Heard:
        """What is said in a WAV file.

        Args:
            audio: the file, or its path.

        Raises:
            DataError: the file cannot be read.
            ServingError: the server cannot be reached, or refuses the file.
        """
        answer = self.predict({"audio_bytes": [content_of(audio)]})
        count = int(answer["word_counts"][0])
        rows = [answer[name][0, :count].tolist() for name in ("words", "word_starts", "word_ends")]
        return Heard(str(answer["transcript"][0]), float(answer["confidence"][0]), tuple(zip(*rows, strict=True)))
