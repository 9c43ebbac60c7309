"""What an exported text model lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["TextExportConfig"]


@dataclass(frozen=True)
class TextExportConfig(ExportConfig):
    """What an export contains, and the longest texts that it serves: the longest row of a batch holds the others.

    Attributes:
        longest_prompt: most characters of a prompt, and most ids of a row; a longer one gets a problem.
        longest_answer: most characters that a row may ask for.
    """

    longest_prompt: int = 4_000
    longest_answer: int = 1_000
