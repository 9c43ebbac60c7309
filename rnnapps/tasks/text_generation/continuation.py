"""What a text model has written."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Continuation"]


@dataclass(frozen=True)
class Continuation:
    """A prompt, continued; as a string both together.

    Attributes:
        prompt: the text that was given.
        text: what the model wrote behind it.
    """

    prompt: str
    text: str

    def __str__(self) -> str:
        return self.prompt + self.text

    def printed(self) -> str:
        """What the command line prints: both together."""
        return str(self)
