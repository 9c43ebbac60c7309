"""Where a translation model's sentence pairs come from, and how they are cut into tokens. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from rnnapps.config import require, require_choice, shares_of_given
from rnnapps.data.large_data import LargeDataConfig
from rnnapps.errors import ConfigError
from rnnapps.preprocessing.piece_kinds import PieceKind

__all__ = ["CopiedKind", "PairDataConfig"]

CopiedKind = Literal["urls", "emails", "placeholders", "tags", "numbers"]


@dataclass(frozen=True)
class PairDataConfig(LargeDataConfig):
    """The sentence pairs to learn from.

    Attributes:
        source: `builtin` (dates, times, amounts and measures, English and German), a file with a sentence and its
            translation in each line (tabs, `|||`, CSV, JSON lines), a translation memory (TMX), a file of source
            sentences with their translations in `target`, or `tfds:NAME/CONFIG`.
        target: file with the translation of each line of `source`; None where `source` holds both.
        columns: the two columns of such files to read, by number from 1 or by name: `'[1, 3]'`, `'[de, en]'`; of a
            translation memory, the two languages.
        most_lines: the most lines or units of a file that are read; of a longer one so many are drawn at random.
        validation: pairs held out for validation, as `source`; None takes `validation_fraction` of the training pairs.
        validation_target: file with the translations of `validation`.
        test: pairs for the test, as `source`; None takes `test_fraction` of the training pairs.
        test_target: file with the translations of `test`.
        test_references: files with further translations of `test`, with which scores compare too.
        validation_fraction: share of the pairs held out for validation, above 0 and below 1; at most 100,000 sentences.
        test_fraction: share of the pairs held out for the test, 0 to below 1; at most 100,000 sentences.
        reverse: translate from the second language into the first.
        lowercase: read and write everything in lower case.
        tokens: what sentences are cut into: `subwords` (byte-pair encoding), `wordpieces` (the longest known pieces),
            `words` or `characters`.
        source_vocabulary: the most kinds of source tokens.
        target_vocabulary: the most kinds of target tokens.
        copied: what a translation takes over as it is: of `urls`, `emails`, `placeholders` ({0}, %s), `tags` and
            `numbers`; `[]` leaves all to the network. Of numbers it is learned from the training pairs which ones.
        longest: training pairs with a longer side are dropped, in characters.
        largest_ratio: training pairs with one side more than so many times as long as the other are dropped; sides of
            up to 20 characters may differ by more.
        grow_tokens: the most tokens that fine-tuning on new pairs adds to each vocabulary.

    Raises:
        ConfigError: a value is out of range, or translations are given without sentences.
    """

    source: str = "builtin"
    target: str | None = None
    columns: tuple[str | int, ...] = ()
    validation: str | None = None
    validation_target: str | None = None
    test: str | None = None
    test_target: str | None = None
    validation_fraction: float = 0.05
    test_fraction: float = 0.05
    reverse: bool = False
    lowercase: bool = False
    tokens: PieceKind = "subwords"
    source_vocabulary: int = 6000
    target_vocabulary: int = 4000
    copied: tuple[CopiedKind, ...] = get_args(CopiedKind)
    longest: int = 500
    largest_ratio: float = 4.0
    grow_tokens: int = 500
    most_lines: int = 2_000_000
    test_references: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        columns = tuple(int(column) if str(column).isdecimal() else column for column in self.columns)
        object.__setattr__(self, "columns", columns)
        require("data.columns", list(self.columns), "two different columns", len(set(self.columns)) in (0, 2))
        numbers = [column for column in self.columns if isinstance(column, int)]
        require("data.columns", list(self.columns), "numbers from 1, or names", all(number >= 1 for number in numbers))
        for name in ("validation", "test"):
            if getattr(self, f"{name}_target") is not None and getattr(self, name) is None:
                raise ConfigError(f"data.{name}_target needs data.{name}, the file with the sentences it translates")
        require("data.most_lines", self.most_lines, "at least 10", self.most_lines >= 10)
        if self.test_references and (self.test_target is None or self.reverse):
            raise ConfigError("data.test_references needs data.test and data.test_target, without data.reverse")
        require(
            "data.validation_fraction", self.validation_fraction, "above 0, below 1", 0 < self.validation_fraction < 1
        )
        require("data.test_fraction", self.test_fraction, "at least 0, below 1", 0 <= self.test_fraction < 1)
        together = self.validation_fraction + self.test_fraction
        require("data.validation_fraction and data.test_fraction together", together, "below 1", together < 1)
        for name in ("source_vocabulary", "target_vocabulary"):
            require(f"data.{name}", getattr(self, name), "from 16 to 100,000", 16 <= getattr(self, name) <= 100_000)
        require("data.longest", self.longest, "at least 1", self.longest >= 1)
        require("data.largest_ratio", self.largest_ratio, "at least 1", self.largest_ratio >= 1)
        require("data.grow_tokens", self.grow_tokens, "at least 0", self.grow_tokens >= 0)
        require_choice("data.tokens", self.tokens, PieceKind)
        for kind in self.copied:
            require_choice("data.copied", kind, CopiedKind)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        return shares_of_given(self)
