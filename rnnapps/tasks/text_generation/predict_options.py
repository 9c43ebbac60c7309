"""What `predict` and `stream` of a text model are asked for. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import SamplingConfig, require, require_choice
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.export_config import MOST_COMPLETIONS

__all__ = ["MOST_REPEATED", "PredictOptions", "Until", "WritingConfig"]

Until = Literal["word", "line"]

MOST_REPEATED = 16
"""The longest sequence of tokens that may be forbidden to come twice."""


@dataclass(frozen=True)
class WritingConfig(SamplingConfig):
    """How a text is written.

    Attributes:
        min_p: draw only among tokens at least this share as likely as the likeliest; 0 means all.
        repetition_penalty: multiplies the logarithm of the probability of each of the last 256 tokens written, 1 to 10;
            1 means no penalty.
        no_repeat: write no sequence of so many tokens twice, 0 to 16; 0 allows it.

    Raises:
        ConfigError: a value is out of range.
    """

    min_p: float = 0.0
    repetition_penalty: float = 1.0
    no_repeat: int = 0

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require("min_p", self.min_p, "from 0 to 1", 0 <= self.min_p <= 1)
        require("repetition_penalty", self.repetition_penalty, "from 1 to 10", 1 <= self.repetition_penalty <= 10)
        require("no_repeat", self.no_repeat, f"from 0 to {MOST_REPEATED}", 0 <= self.no_repeat <= MOST_REPEATED)


@dataclass(frozen=True)
class PredictOptions(WritingConfig):
    """What to write.

    Attributes:
        prompt: text to continue.
        prompts: a file of prompts, one a line; `-` for standard input. Each result is then a line of JSON.
        stop: end before this string.
        completions: write nothing, but tell so many likeliest ends of the prompt's last word, with their probabilities,
            up to 20; 0 writes.
        until: where they end: `word`, the prompt's last or the next, or `line`.

    Raises:
        ConfigError: a value is out of range.
    """

    prompt: str = ""
    prompts: str = ""
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
        if self.prompt and self.prompts:
            raise ConfigError("prompt and prompts both say what to continue; give one of them")
        for name in ("prompt", "stop"):
            text = getattr(self, name)
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise ConfigError(f"{name} must be Unicode text, not {text!r}; give it in UTF-8")
