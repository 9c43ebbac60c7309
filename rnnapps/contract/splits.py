"""What shared code asks of a task's data."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Splits"]


class Splits(Protocol):
    """Raw examples, split before anything is learned from them: training, validation and, where there are any, test.

    How they are held is the task's own business. Validation examples decide which state is best; test examples are
    touched by `evaluate` alone.
    """

    @property
    def source(self) -> str:
        """What a person would call the data, for reports."""

    def digest(self) -> str:
        """A fingerprint of the training and validation examples: a run goes on only with the data it was begun with.

        `rnnapps.data.digest.digest_examples` computes one.
        """
