"""Where a text model's data comes from. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice, shares_of_given
from rnnapps.data.large_data import LargeDataConfig
from rnnapps.data.text.encodings import require_encoding
from rnnapps.data.text.read_as import Markup, ReadAs
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.data.token_kinds import TokenKind

__all__ = ["HoldOut", "TextDataConfig"]

HoldOut = Literal["evenly", "end"]


@dataclass(frozen=True)
class TextDataConfig(LargeDataConfig):
    """The text to learn from, and how it is split.

    The split is made before windows are cut. Of one text, the end is held out: first training, then validation, then
    test text; `hold_out` says what is held out of several. A `tfds:` data set that has splits of its own keeps them,
    and so does a folder with folders `train` and `validation` (or `valid`, `val`, `dev`) or `test`; the fractions then
    only supply what is missing.

    Attributes:
        source: `builtin` (documentation of Python), a .txt file, JSON lines, a folder of text files, HTML, EPUB or
            DOCX, or `tfds:NAME[/config]`.
        test: file, folder or `tfds:` name whose whole text is the test text; None takes what `source` offers.
        validation_fraction: share of the characters held out for validation, above 0 and below 1; 10 million at most.
        test_fraction: share of the characters held out for the test, 0 to below 1; 10 million at most.
        validation: the same as `source` for the validation text; None takes what that offers.
        hold_out: what is held out of several files or records: evenly, the end of each long one and whole short ones
            from all over, so that no language or author is left out of training; end, the last ones.
        pattern: which files of a folder are read, such as `*.py`; empty for .txt, .text, .md and .rst, or else .html,
            .epub and .docx.
        field: field of JSON lines, or column of a table, that holds the texts; empty finds `text`, `content`, `body`
            or the `messages` of a chat in JSON lines.
        tokens: what the text is cut into: `characters`, `words` or `subwords` (byte-pair encoding).
        vocabulary: the most different words or subwords; rarer words are spelled.
        grow_tokens: the most words or subwords that fine-tuning on a new text adds.
        encoding: of all files, such as cp1252; empty for UTF-8, or what a byte order mark or a file itself tells.
        markup: strip reads the text of HTML, EPUB and DOCX; keep reads HTML as it is written.

    Raises:
        ConfigError: a value is out of range, an encoding is unknown, or both `test` and `test_fraction` are given.
    """

    source: str = "builtin"
    test: str | None = None
    validation_fraction: float = 0.1
    test_fraction: float = 0.0
    validation: str | None = None
    hold_out: HoldOut = "evenly"
    pattern: str = ""
    field: str = ""
    tokens: TokenKind = "characters"
    vocabulary: int = 8000
    grow_tokens: int = 500
    encoding: str = ""
    markup: Markup = "strip"

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("data.hold_out", self.hold_out, HoldOut)
        require_choice("data.markup", self.markup, Markup)
        require_encoding("data.encoding", self.encoding)
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
        pieces = dict.fromkeys(("vocabulary", "grow_tokens"), needs) if self.tokens == "characters" else {}
        return shares_of_given(self) | pieces

    @property
    def read_as(self) -> ReadAs:
        """How files are read."""
        return ReadAs(self.pattern, self.field, self.encoding, self.markup)
