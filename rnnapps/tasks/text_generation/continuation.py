"""What a text model has written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Completion", "Continuation", "PossibleEnds"]


@dataclass(frozen=True)
class Continuation:
    """A prompt, continued; as a string both together.

    Attributes:
        prompt: the text that was given.
        text: what the model wrote behind it.
        one_of_many: of a file of prompts.
    """

    prompt: str
    text: str
    one_of_many: bool = False

    def __str__(self) -> str:
        return self.prompt + self.text

    def printed(self) -> str | dict[str, Any]:
        """What the command line prints: both together; as JSON where there are many."""
        return {"prompt": self.prompt, "text": self.text} if self.one_of_many else str(self)


@dataclass(frozen=True)
class Completion:
    """One way in which a word or a line may end.

    Attributes:
        text: what follows the prompt.
        probability: that just this follows, up to the end of the word or line.
    """

    text: str
    probability: float


@dataclass(frozen=True)
class PossibleEnds:
    """A prompt, and the likeliest ends of its last word or line; as a string the prompt with the likeliest.

    Attributes:
        prompt: the text that was given.
        completions: the likeliest first; there may be fewer than were asked for.
    """

    prompt: str
    completions: tuple[Completion, ...]

    def __str__(self) -> str:
        return self.prompt + (self.completions[0].text if self.completions else "")

    def printed(self) -> dict[str, Any]:
        """What the command line prints: all of them as JSON."""
        return {"prompt": self.prompt, "completions": self.completions}
