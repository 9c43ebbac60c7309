"""A recording that is not read yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rnnapps.tasks.speech_recognition.data.sound import Sound

__all__ = ["Row"]


@dataclass(frozen=True)
class Row:
    """A recording that is not read yet.

    Attributes:
        audio: its file; or sound from Python, in any form.
        transcript: as it is written in the source.
        speaker: who speaks; empty where it is not known.
        place: where the row stands, for errors.
    """

    audio: Sound
    transcript: str
    speaker: str
    place: str

    @property
    def name(self) -> str:
        """What to call the recording: its file, or else its place."""
        return str(self.audio) if isinstance(self.audio, str | Path) else self.place
