"""Which numbers a translation takes over as they are, learned from training pairs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import tensorflow as tf

from rnnapps.tasks.translation.copied_spans import CopiedSpans, matched
from rnnapps.tasks.translation.data.config import CopiedKind
from rnnapps.tasks.translation.data.pairs import Pair

__all__ = ["fit_copies"]

MOST_READ = 50_000
CHUNK = 2048
LONG = 4
"""Numbers of so many digits and more are one kind."""
COPIED = 0.9
"""A kind of number is copied where at least this share of those in training pairs is."""
SEPARATED = 0
_NUMBER = re.compile(r"\d+(?:[.,:/'’-]\d+)*")


def fit_copies(kinds: Sequence[CopiedKind], pairs: Sequence[Pair]) -> CopiedSpans:
    """Learns how numbers are copied.

    Numbers with separators in them are one span where their translations hold them as they are; else the digits
    between separators are. Of these, short ones are left to the network where translations write them otherwise: the
    hours of times, or numbers up to twelve as words.

    Args:
        kinds: what is copied.
        pairs: training pairs.
    """
    if "numbers" not in kinds:
        return CopiedSpans(kinds, separated=False, least_digits=0)
    step = -(-len(pairs) // MOST_READ) or 1
    read = pairs if step == 1 else [pairs[place] for place in range(0, len(pairs), step)]
    separated = SEPARATED in _copied_lengths(CopiedSpans(kinds, separated=True, least_digits=1), read)
    lengths = _copied_lengths(CopiedSpans(kinds, separated=separated, least_digits=1), read)
    least = 0
    for length in range(LONG, 0, -1):
        if length not in lengths:
            break
        least = length
    return CopiedSpans(kinds, separated=separated, least_digits=least)


def _copied_lengths(copies: CopiedSpans, pairs: Sequence[Pair]) -> set[int]:
    """Kinds of numbers that translations hold as they are: lengths from 1 to 4, of 4 and more, and 0 of separated ones.

    A kind that does not occur counts as copied: nothing says how else it should be translated.
    """
    seen: Counter[int] = Counter()
    kept: Counter[int] = Counter()
    for start in range(0, len(pairs), CHUNK):
        sides = (tf.constant([pair[side] for pair in pairs[start : start + CHUNK]]) for side in (0, 1))
        spans, others = (copies.mask(texts).spans for texts in sides)
        found = zip(spans.numpy().ravel(), matched(spans, others).numpy().ravel(), strict=True)
        for span, place in ((span.decode(), place) for span, place in found if span):
            if _NUMBER.fullmatch(span):
                length = min(len(span), LONG) if span.isdecimal() else SEPARATED
                seen[length] += 1
                kept[length] += place >= 0
    return {kind for kind in range(LONG + 1) if kept[kind] + 1 >= COPIED * (seen[kind] + 1)}
