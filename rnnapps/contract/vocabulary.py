"""How a vocabulary grew, for the weights that it indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["VocabularyChange"]


@dataclass(frozen=True)
class VocabularyChange:
    """What the entries of two vocabularies are called, and which weights they index.

    Attributes:
        old: entry names of the source; the position is the id.
        new: entry names of the new network; entries may be added, dropped and moved.
        axes: path of a variable -> its axis that is indexed by the vocabulary, such as
            `{"embedding/embeddings": 0, "logits/kernel": 1, "logits/bias": 0}`.
    """

    old: Sequence[str]
    new: Sequence[str]
    axes: Mapping[str, int]
