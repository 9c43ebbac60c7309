"""What could not be read, and why."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BadExample"]


@dataclass(frozen=True)
class BadExample:
    """An example or an input that could not be read.

    Attributes:
        file: its file, or its place in one: a line, a row.
        problem: what is wrong with it, and what can be done about it.
    """

    file: str
    problem: str

    def __str__(self) -> str:
        """Both in one line."""
        return f"{self.file}: {self.problem}"
