"""What an exported translation model lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["TranslationExportConfig"]


@dataclass(frozen=True)
class TranslationExportConfig(ExportConfig):
    """What an export contains, and the longest sentences that it serves: the longest row of a batch holds the others.

    Attributes:
        longest_sentence: most characters of a sentence, and most ids of a row; a longer one gets a problem.
    """

    longest_sentence: int = 1_000
