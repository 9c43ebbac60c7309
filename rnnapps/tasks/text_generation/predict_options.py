"""What `predict` and `stream` of a text model are asked for. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import SamplingConfig, require, require_choice
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.export_config import MOST_COMPLETIONS

__all__ = ["PredictOptions", "Until"]

Until = Literal["word", "line"]


@dataclass(frozen=True)
class PredictOptions(SamplingConfig):
    """What to write.

    Attributes:
        prompt: text to continue.
        stop: end before this string.
        completions: write nothing, but tell so many likeliest ends of the prompt's last word, with their probabilities,
            up to 20; 0 writes.
        until: where they end: `word`, the prompt's last or the next, or `line`.

    Raises:
        ConfigError: a value is out of range.
    """

    prompt: str = ""
    stop: str = ""
    completions: int = 0
    until: Until = "word"

    def __post_init__(self) -> None:
        """Checks the values; a terminal that is not set to UTF-8 hands over bytes that are no characters."""
        super().__post_init__()
        if not -(2**63) <= self.seed < 2**63:
            raise ConfigError(f"seed must be a number of 64 bits, not {self.seed}")
        most = MOST_COMPLETIONS
        require("completions", self.completions, f"from 0 to {most}", 0 <= self.completions <= most)
        require_choice("until", self.until, Until)
        if self.until != "word" and not self.completions:
            raise ConfigError("until says where completions end; give their number too, as --completions 5")
        for name in ("prompt", "stop"):
            text = getattr(self, name)
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise ConfigError(f"{name} must be Unicode text, not {text!r}; give it in UTF-8")
