"""What an exported text model lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig, require

__all__ = ["MOST_COMPLETIONS", "TextExportConfig"]

MOST_COMPLETIONS = 20
"""The search keeps twice as many texts side by side."""


@dataclass(frozen=True)
class TextExportConfig(ExportConfig):
    """What an export contains, and the longest texts that it serves: the longest row of a batch holds the others.

    Attributes:
        longest_prompt: most characters of a prompt, and most ids of a row; a longer one gets a problem.
        longest_answer: most tokens that a row may ask for.
        completions: likeliest ends of a word or a line that `complete` answers with, up to 20.

    Raises:
        ConfigError: a value is out of range.
    """

    longest_prompt: int = 4_000
    longest_answer: int = 1_000
    completions: int = 5

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        most = MOST_COMPLETIONS
        require("export.completions", self.completions, f"from 1 to {most}", 1 <= self.completions <= most)
