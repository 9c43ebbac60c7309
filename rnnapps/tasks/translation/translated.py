"""What a translation model has found for a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Alternative", "TranslatedSentence"]


@dataclass(frozen=True)
class Alternative:
    """One translation among several.

    Attributes:
        text: the translation.
        score: its log probability in nats over the length norm, see `TranslatedSentence`.
    """

    text: str
    score: float


@dataclass(frozen=True)
class TranslatedSentence:
    """A sentence and its translation; as a string the translation.

    Attributes:
        sentence: what was translated.
        text: the best translation.
        score: its log probability in nats over ((5 + tokens) / 6) ** length penalty, the end counted; 0 is certainty.
        alternatives: the best translations, `text` first, where more than one was asked for; there may be fewer.
        appended: how many addresses, placeholders, tags and numbers the model had left out: they stand at the end.
    """

    sentence: str
    text: str
    score: float
    alternatives: tuple[Alternative, ...] = ()
    appended: int = 0

    def __str__(self) -> str:
        return self.text

    def printed(self) -> str | dict[str, Any]:
        """What the command line prints: the translation, or all of them as JSON."""
        if not self.alternatives:
            return self.text
        return {"sentence": self.sentence, "translations": self.alternatives}
