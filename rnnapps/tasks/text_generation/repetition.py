"""Repetition diagnostics of generated text: does a model loop, or say the same few things?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Repetition", "distinct_n", "longest_repeat", "measure_repetition"]


@dataclass(frozen=True)
class Repetition:
    """How repetitive a set of texts is.

    Attributes:
        distinct: n -> share of distinct word n-grams, 0 to 1; 1 means that nothing was said twice.
        longest_repeat: the longest string that occurs twice within one text.
        texts: number of texts.
        characters: their total length, in characters. Compare only sets of texts of similar length: longer texts
            repeat more.
    """

    distinct: dict[int, float]
    longest_repeat: str
    texts: int
    characters: int


def distinct_n(sequences: Iterable[Sequence[str]], n: int) -> float:
    """Share of distinct n-grams among all n-grams of the sequences, 0 to 1.

    Source: Li et al., "A diversity-promoting objective function for neural conversation models", arXiv 1510.03055,
    section 5.

    Args:
        sequences: texts as sequences of symbols: lists of words, or plain strings for characters.
        n: length of an n-gram, in symbols.

    Returns:
        The share, or nan when no sequence has n symbols.

    Raises:
        ValueError: n is not positive.
    """
    if n < 1:
        raise ValueError(f"distinct_n expects n >= 1, got {n}")
    grams = [tuple(sequence[start : start + n]) for sequence in sequences for start in range(len(sequence) - n + 1)]
    return len(set(grams)) / len(grams) if grams else float("nan")


def longest_repeat(text: str) -> str:
    """The longest string that occurs at least twice in `text`; occurrences may overlap. The first one of that length.

    A repeat of some length contains repeats of every smaller length, so the length is found by bisection.
    """
    shortest, longest, repeated = 1, len(text) - 1, ""
    while shortest <= longest:
        length = (shortest + longest) // 2
        repeat = _repeat_of_length(text, length)
        if repeat:
            repeated, shortest = repeat, length + 1
        else:
            longest = length - 1
    return repeated


def _repeat_of_length(text: str, length: int) -> str:
    """The first string of a length that occurred before; empty where none did."""
    seen: set[str] = set()
    for start in range(len(text) - length + 1):
        piece = text[start : start + length]
        if piece in seen:
            return piece
        seen.add(piece)
    return ""


def measure_repetition(texts: Sequence[str], *, orders: Sequence[int] = (1, 2, 3)) -> Repetition:
    """Measures the repetition of generated texts.

    Args:
        texts: the generated texts.
        orders: lengths of the word n-grams, in words.
    """
    words = [text.split() for text in texts]
    return Repetition(
        distinct={order: distinct_n(words, order) for order in orders},
        longest_repeat=max((longest_repeat(text) for text in texts), key=len, default=""),
        texts=len(texts),
        characters=sum(len(text) for text in texts),
    )
