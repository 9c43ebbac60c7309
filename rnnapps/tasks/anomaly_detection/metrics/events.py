"""Event metrics: labelled and flagged stretches of time, matched by overlap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = ["EventCounts", "Interval", "count_events", "intervals", "merge_overlapping"]

Interval = tuple[int, int]
"""First and last row of a stretch, both inclusive."""


@dataclass(frozen=True)
class EventCounts:
    """Labelled events found and missed, and flagged events that match none.

    Attributes:
        true_positives: labelled events that a flagged one overlaps.
        false_negatives: labelled events that none overlaps.
        false_positives: flagged events that overlap no labelled one.
    """

    true_positives: int = 0
    false_negatives: int = 0
    false_positives: int = 0

    def __add__(self, other: EventCounts) -> EventCounts:
        """The counts of both together."""
        return EventCounts(
            self.true_positives + other.true_positives,
            self.false_negatives + other.false_negatives,
            self.false_positives + other.false_positives,
        )

    @property
    def precision(self) -> float:
        """Share of true events among all that count as flagged; 0 when nothing is flagged."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """Share of labelled events that were found; 0 when nothing is labelled."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    def f_score(self, beta: float = 0.5) -> float:
        """Weighted harmonic mean of precision and recall; below 1, `beta` weighs precision more."""
        weight = beta * beta
        denominator = weight * self.precision + self.recall
        return (1 + weight) * self.precision * self.recall / denominator if denominator else 0.0


def count_events(labelled: Iterable[Interval], flagged: Iterable[Interval]) -> EventCounts:
    """Matches events by overlap.

    A labelled event counts once, however many flagged events overlap it; a flagged event that overlaps any labelled
    one is never false.

    Source: Hundman et al. 2018, arXiv:1802.04431, section 4.2.

    Args:
        labelled: true events of one series; overlapping ones are counted one by one.
        flagged: detected events of the same series.
    """
    labelled, flagged = list(labelled), list(flagged)
    hits = sum(any(_overlap(event, other) for other in flagged) for event in labelled)
    false = sum(not any(_overlap(event, other) for other in labelled) for event in flagged)
    return EventCounts(hits, len(labelled) - hits, false)


def intervals(flags: Array) -> list[Interval]:
    """The stretches of True in a bool array `(time,)`."""
    padded = np.concatenate([[False], np.asarray(flags, bool), [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def merge_overlapping(events: Sequence[Interval]) -> list[Interval]:
    """Joins events that share rows or touch; the result is sorted."""
    merged: list[Interval] = []
    for first, last in sorted(events):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _overlap(event: Interval, other: Interval) -> bool:
    return event[0] <= other[1] and other[0] <= event[1]


def _share(part: int, whole: int) -> float:
    """Their ratio; 0 of nothing."""
    return part / whole if whole else 0.0
