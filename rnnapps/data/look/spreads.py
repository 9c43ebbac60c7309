"""How numbers are spread over examples, and how often names occur among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rnnapps.contract.data_report import Caution, Counts, Histogram
from rnnapps.printable import name_list

__all__ = ["counted", "one_sided", "spread"]

BINS = 12
SHOWN = 20
"""Names that are counted one by one."""

FEW = 5
"""Examples of a class below which none of its parts means much."""

ONE_SIDED = 0.9
"""From this share on a class hides all others."""


def spread(title: str, numbers: Sequence[float]) -> Histogram | None:
    """The spread of a number over examples; None without any.

    Whole numbers of a few values have a bin each.
    """
    values = np.asarray(numbers, np.float64)
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.round(values)).all())
    edges = np.arange(low, high + 2) - 0.5 if whole and high - low < BINS else np.linspace(low, high, BINS + 1)
    edges = np.array([low - 0.5, low + 0.5]) if low == high else edges
    counts, _ = np.histogram(values, bins=edges)
    marks = {"least": low, **{f"{share} %": float(np.percentile(values, share)) for share in (5, 50, 95)}}
    marks |= {"largest": high, "mean": float(values.mean())}
    return Histogram(title, [float(edge) for edge in edges], [int(count) for count in counts], marks)


def counted(title: str, names: Iterable[str] | Mapping[str, int], *, shown: int = SHOWN) -> Counts:
    """How often names occur, the commonest first; equal ones in the order of the alphabet."""
    counts = Counter(names)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return Counts(title, {name: counts[name] for name in ordered[:shown]}, len(counts))


def one_sided(counts: Counts, what: str) -> list[Caution]:
    """Tells of a class that nearly all examples are of, or of classes that hardly any is of."""
    total, cautions = sum(counts.counts.values()), []
    most = next(iter(counts.counts), "")
    if total and counts.kinds > 1 and counts.counts[most] >= ONE_SIDED * total:
        share = f"{100 * counts.counts[most] / total:.0f} % of all {what} are of one class, {most!r}"
        remedy = "a model that always says so looks good: judge by the score of each class, or give more of the others"
        cautions.append(Caution(share, remedy))
    few = [f"{name!r} ({count})" for name, count in counts.counts.items() if count < FEW]
    if few and len(few) < len(counts.counts):
        told = f"fewer than {FEW} {what} of {name_list(few, 3)}"
        cautions.append(Caution(told, "give more of them, or leave the class out"))
    return cautions
