"""Sentence pairs, and what is dropped of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rnnapps.contract.bad_examples import BadExample
from rnnapps.data.digest import digest_examples

__all__ = ["SHORT", "Pair", "PairSplits", "Placed", "drop_reasons", "filter_pairs"]

SHORT = 20
"""Up to this many characters the ratio of lengths says nothing."""


class Pair(NamedTuple):
    """A sentence and its translation."""

    source: str
    target: str


class Placed(NamedTuple):
    """A pair, and where it stands.

    Attributes:
        pair: the pair.
        document: which of the documents that lines without text stand between.
        line: of its file, from 1; 0 where that has none.
    """

    pair: Pair
    document: int = 0
    line: int = 0


@dataclass(frozen=True)
class PairSplits:
    """Pairs, split before anything is learned from them.

    Attributes:
        train: filtered.
        validation: as they were.
        test: as they were; None where there are none.
        source: what a person would call the data.
        read: number of training pairs before the filter.
        dropped: reason -> number of training pairs that were dropped for it.
        skipped: lines that are no pairs.
        references: further translations of each test sentence; empty where there are none.
        dealt: what was held out where shares were: sentences or documents.
    """

    train: Sequence[Pair]
    validation: Sequence[Pair]
    test: Sequence[Pair] | None
    source: str
    read: int
    dropped: dict[str, int] = field(default_factory=dict)
    skipped: tuple[BadExample, ...] = ()
    references: tuple[tuple[str, ...], ...] = ()
    dealt: str = "sentences"

    def scored_references(self) -> list[list[str]]:
        """All translations of each sentence that `evaluate` scores: of the test, or else of the validation."""
        pairs = self.validation if self.test is None else self.test
        return [[pair.target, *more] for pair, more in zip(pairs, self.references or ((),) * len(pairs), strict=True)]

    def digest(self) -> str:
        """A fingerprint of the training and validation pairs."""
        return digest_examples(self.train, self.validation)


def drop_reasons(longest: int, largest_ratio: float) -> tuple[str, str, str]:
    """Why training pairs are dropped: repeated, too long, and of sides that differ too much in length."""
    return (
        "repeats an earlier pair",
        f"longer than {longest:,} characters",
        f"one side over {largest_ratio:g} times as long",
    )


def filter_pairs(pairs: Sequence[Pair], *, longest: int, largest_ratio: float) -> tuple[list[Pair], dict[str, int]]:
    """Drops pairs that teach nothing.

    Args:
        pairs: what was read.
        longest: the most characters of a side.
        largest_ratio: the most that one side may be longer than the other, where it has more than 20 characters.

    Returns:
        The pairs that stay, and the number dropped for each reason.
    """
    reasons = dict.fromkeys(drop_reasons(longest, largest_ratio), 0)
    repeated, too_long, lopsided = reasons
    kept: dict[Pair, None] = {}
    for pair in pairs:
        short, long = sorted(map(len, pair))
        if pair in kept:
            reasons[repeated] += 1
        elif long > longest:
            reasons[too_long] += 1
        elif long > SHORT and long > largest_ratio * short:
            reasons[lopsided] += 1
        else:
            kept[pair] = None
    return list(kept), {reason: count for reason, count in reasons.items() if count}
