"""How many keys a completer spares who types a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.text_generation.completion.borders import INSIDE
from rnnapps.tasks.text_generation.completion.writer import Completer

__all__ = ["TypedWord", "frequent_words", "keystrokes_saved", "suggesting", "typed_words"]

OFFERED = 3
"""Completions that are shown at once, as above the keyboard of a telephone."""

LETTERS = rf"[^\W\d_]+(?:[{INSIDE}][^\W\d_]+)*"
WORD = re.compile(rf"(?<!\S){LETTERS}(?=[^\w{INSIDE}])")
"""A word behind white space or at the beginning, of which the end is seen."""

CONTEXT = 200
"""Characters before a word that a completer is given."""

Suggest = Callable[[Sequence[tuple[str, str]]], list[list[str]]]
"""Maps pairs of what stands before a word and what is typed of it to the words that are offered for each."""


@dataclass(frozen=True)
class TypedWord:
    """A word of a text.

    Attributes:
        before: what stands before it.
        word: the word.
    """

    before: str
    word: str


def typed_words(text: str, most: int) -> list[TypedWord]:
    """So many words of a text, evenly spread over it."""
    found = list(WORD.finditer(text))
    places = np.linspace(0, max(len(found) - 1, 0), min(most, len(found))).round().astype(int)
    chosen = [found[place] for place in np.unique(places)]
    return [TypedWord(text[max(0, own.start() - CONTEXT) : own.start()], own.group()) for own in chosen]


def keystrokes_saved(words: Sequence[TypedWord], suggest: Suggest) -> float:
    """The share of keys, in percent, that need not be pressed.

    Who types presses a key for each letter and one for the space behind the word. As soon as the word is among those
    that are offered, it is chosen with one key, which also writes the space.

    Args:
        words: what is typed.
        suggest: the completer.
    """
    keys = [len(own.word) + 1 for own in words]
    left = [number for number, own in enumerate(words) if own.word]
    typed = 0
    while left:
        offered = suggest([(words[number].before, words[number].word[:typed]) for number in left])
        found = {number for number, own in zip(left, offered, strict=True) if words[number].word in own[:OFFERED]}
        for number in found:
            keys[number] = typed + 1
        typed += 1
        left = [number for number in left if number not in found and typed < len(words[number].word)]
    return 100 * (1 - sum(keys) / sum(len(own.word) + 1 for own in words)) if words else 0.0


def suggesting(complete: Completer) -> Suggest:
    """What a model offers."""

    def suggest(asked: Sequence[tuple[str, str]]) -> list[list[str]]:
        found = complete([before + typed for before, typed in asked], count=2 * OFFERED)
        return [
            [word for word in (typed + own.text for own in ends) if re.fullmatch(LETTERS, word)]
            for (_, typed), ends in zip(asked, found, strict=True)
        ]

    return suggest


def frequent_words(text: str) -> Suggest:
    """The most frequent words of a text that begin as the word does."""
    ranked = [word for word, _ in Counter(own.group() for own in WORD.finditer(text)).most_common()]

    def suggest(asked: Sequence[tuple[str, str]]) -> list[list[str]]:
        return [_first(ranked, typed) for _, typed in asked]

    return suggest


def _first(ranked: Sequence[str], typed: str) -> list[str]:
    """The first few that begin so."""
    found: list[str] = []
    for word in ranked:
        if word.startswith(typed):
            found.append(word)
            if len(found) == OFFERED:
                break
    return found
