"""Where recordings and transcripts come from. Imports nothing heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice, shares_of_given
from rnnapps.data.large_data import LargeDataConfig
from rnnapps.errors import ConfigError

__all__ = ["HoldOut", "SpeechDataConfig", "Unit"]

Unit = Literal["characters", "words"]
HoldOut = Literal["clips", "speakers"]


@dataclass(frozen=True)
class SpeechDataConfig(LargeDataConfig):
    """The recordings to learn from, how they are split, and what is written.

    Attributes:
        source: `builtin` (synthetic: number strings spoken by eSpeak NG), a manifest (CSV with the columns `audio` and
            `transcript`, or as Common Voice, NeMo, DeepSpeech and Hugging Face write them), a folder with `train.csv`
            (and `dev.csv`, `test.csv`), a folder of LibriSpeech, whose subsets are its parts, LJSpeech, TIMIT, VCTK,
            Speech Commands or Kaldi, one with a text, captions or a TextGrid beside each recording, or
            `tfds:NAME[/config]`.
        validation: the same for the validation split; None takes what `source` offers, or a share of its training part.
        test: the same for the test split.
        validation_fraction: share of the training part held out for validation where it has no split of its own.
        test_fraction: the same for the test.
        hold_out: what is held out where shares are: single clips, or all clips of some speakers.
        speaker_pattern: regular expression whose first group finds the speaker in a file's name, where a manifest has
            no column `speaker`.
        sample_rate_hz: rate to which all recordings are converted.
        longest_seconds: longest recording accepted for training and evaluation.
        unit: what the network writes: characters or whole words.
        keep_punctuation: keep punctuation marks in transcripts.
        join_minimum: clips of one speaker that are joined into a string, at least.
        join_maximum: the same, at most; 1 leaves clips as they are.
        join_passes: how often each training clip occurs in joined strings; held-out ones occur four times.
        language_model_order: length of the n-grams of symbols that are counted in training transcripts, for `decoding`;
            shorter where the alphabet is too large for a table of them; 0 counts none.
        builtin_utterances: number of synthetic training utterances; a tenth as many more are made for each held-out
            split.
    """

    source: str = "builtin"
    validation: str | None = None
    test: str | None = None
    validation_fraction: float = 0.1
    test_fraction: float = 0.1
    hold_out: HoldOut = "clips"
    speaker_pattern: str = ""
    sample_rate_hz: int = 16_000
    longest_seconds: float = 40.0
    unit: Unit = "characters"
    keep_punctuation: bool = False
    join_minimum: int = 1
    join_maximum: int = 1
    join_passes: int = 20
    language_model_order: int = 4
    builtin_utterances: int = 3000

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("data.unit", self.unit, Unit)
        require_choice("data.hold_out", self.hold_out, HoldOut)
        for name in ("validation_fraction", "test_fraction"):
            require(f"data.{name}", getattr(self, name), "above 0 and below 1", 0 < getattr(self, name) < 1)
        if self.validation_fraction + self.test_fraction >= 1:
            raise ConfigError("data.validation_fraction and data.test_fraction leave nothing to train on; lower them")
        for name, low, high in (
            ("sample_rate_hz", 4_000, 48_000),
            ("longest_seconds", 0.1, 600),
            ("join_minimum", 1, 100),
            ("join_maximum", 1, 100),
            ("join_passes", 1, 1000),
            ("language_model_order", 0, 8),
            ("builtin_utterances", 50, 100_000),
        ):
            require(
                f"data.{name}", getattr(self, name), f"from {low:,} to {high:,}", low <= getattr(self, name) <= high
            )
        require("data.join_maximum", self.join_maximum, "at least join_minimum", self.join_maximum >= self.join_minimum)
        if self.speaker_pattern:
            self._require_pattern()

    def _require_pattern(self) -> None:
        try:
            groups = re.compile(self.speaker_pattern).groups
        except re.error as error:
            reason = f"a regular expression ({error})"
            raise ConfigError(f"data.speaker_pattern must be {reason}, not {self.speaker_pattern!r}") from None
        require("data.speaker_pattern", repr(self.speaker_pattern), "a pattern with a group in brackets", groups >= 1)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        found = shares_of_given(self)
        if self.source != "builtin":
            found["builtin_utterances"] = "data.source is not builtin"
        if not self.joins:
            why = "with data.join_maximum 1 no clips are joined"
            found |= {"join_passes": why}
        return found

    @property
    def joins(self) -> bool:
        """Whether clips are joined into strings."""
        return self.join_maximum > 1
