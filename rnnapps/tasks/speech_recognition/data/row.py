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
        span: its first and last second in that file; the last may be None, the file's end. None for all of it.
        part: of the split, where the source says it; else empty.
    """

    audio: Sound
    transcript: str
    speaker: str
    place: str
    span: tuple[float, float | None] | None = None
    part: str = ""

    @property
    def name(self) -> str:
        """What to call the recording: its file, with the seconds where it is a piece of that, or else its place."""
        if not isinstance(self.audio, str | Path):
            return self.place
        if self.span is None:
            return str(self.audio)
        start, end = self.span
        return f"{self.audio} from {start:.2f} s" + ("" if end is None else f" to {end:.2f} s")
