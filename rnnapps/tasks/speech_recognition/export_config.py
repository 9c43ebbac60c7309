"""What an exported recogniser lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["SpeechExportConfig"]


@dataclass(frozen=True)
class SpeechExportConfig(ExportConfig):
    """What an export contains, and the longest recordings that it serves: the longest row of a batch holds the others.

    Attributes:
        longest_seconds: the longest recording, by its header before anything is decoded; a longer one gets a problem.
    """

    longest_seconds: float = 60.0
