"""A part of a video, by its seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Clip"]


@dataclass(frozen=True)
class Clip:
    """A part of a video.

    Attributes:
        path: its file.
        start: its first second in that.
        end: its last second.
    """

    path: Path
    start: float
    end: float

    def __str__(self) -> str:
        return f"{self.path} from {self.start:g} s to {self.end:g} s"
