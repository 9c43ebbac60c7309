"""Where a text model's data comes from. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import require, require_choice
from rnnapps.data.bad_examples import BadExamplesConfig
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.data.token_kinds import TokenKind

__all__ = ["TextDataConfig"]


@dataclass(frozen=True)
class TextDataConfig(BadExamplesConfig):
    """The text to learn from, and how it is split.

    The split is contiguous and made before windows are cut: first training, then validation, then test text.
    A `tfds:` data set that has splits of its own keeps them, and so does a folder with folders `train` and `validation`
    (or `valid`, `val`, `dev`) or `test`; the fractions then only supply what is missing.

    Attributes:
        source: `builtin` (documentation of Python), a .txt file, JSON lines, a folder of text files, or
            `tfds:NAME[/config]`.
        test: file, folder or `tfds:` name whose whole text is the test text; None takes what `source` offers.
        validation_fraction: share of the characters held out for validation, above 0 and below 1.
        test_fraction: share of the characters held out for the test, 0 to below 1.
        pattern: which files of a folder are read, such as `*.py`; empty for .txt, .text, .md and .rst.
        field: field of JSON lines, or column of a table, that holds the texts; empty finds `text`, `content`, `body`
            or the `messages` of a chat in JSON lines.
        tokens: what the text is cut into: `characters`, `words` or `subwords` (byte-pair encoding).
        vocabulary: the most different words or subwords; rarer words are spelled.
        grow_tokens: the most words or subwords that fine-tuning on a new text adds.

    Raises:
        ConfigError: a value is out of range, or both `test` and `test_fraction` are given.
    """

    source: str = "builtin"
    test: str | None = None
    validation_fraction: float = 0.1
    test_fraction: float = 0.0
    pattern: str = ""
    field: str = ""
    tokens: TokenKind = "characters"
    vocabulary: int = 8000
    grow_tokens: int = 500

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        if not 0 < self.validation_fraction < 1:
            raise ConfigError(f"data.validation_fraction is {self.validation_fraction}; give a number above 0, below 1")
        if not 0 <= self.test_fraction < 1:
            raise ConfigError(f"data.test_fraction is {self.test_fraction}; give a number from 0 to below 1")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ConfigError("data.validation_fraction and data.test_fraction leave no text to train on; lower them")
        if self.test is not None and self.test_fraction > 0:
            raise ConfigError("data.test and data.test_fraction both name a test text; give one of them")
        require_choice("data.tokens", self.tokens, TokenKind)
        require("data.vocabulary", self.vocabulary, "from 64 to 100,000", 64 <= self.vocabulary <= 100_000)
        require("data.grow_tokens", self.grow_tokens, "from 0 to 100,000", 0 <= self.grow_tokens <= 100_000)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        needs = "needs data.tokens words or subwords"
        return dict.fromkeys(("vocabulary", "grow_tokens"), needs) if self.tokens == "characters" else {}
