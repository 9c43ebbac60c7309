"""What an exported music model lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["MusicExportConfig"]


@dataclass(frozen=True)
class MusicExportConfig(ExportConfig):
    """What an export contains, and the longest music that it serves: the longest row of a batch holds the others.

    Attributes:
        longest_primer: most frames or events of a primer; a longer one gets a problem.
        longest_answer: most frames or events that a row may ask for.
    """

    longest_primer: int = 4_096
    longest_answer: int = 1_000
