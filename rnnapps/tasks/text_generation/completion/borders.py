"""Which tokens begin, continue and end words, and which end lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rnnapps.types import Array

__all__ = ["Borders", "is_of_word"]

LINE_END = "\n"
INSIDE = "_'\u2019"
"""Signs that do not end a word."""


class Borders(NamedTuple):
    """What tokens do to a word that is being written; each field is bool `(vocabulary,)`.

    Attributes:
        spaces: white space before a word.
        opens: begin a word, white space before it or not.
        goes_on: continue a word; all other tokens end it.
        closes: marks and ends of lines, which stand for a word of their own.
        ends_line: have the end of a line in them.
    """

    spaces: Array
    opens: Array
    goes_on: Array
    closes: Array
    ends_line: Array

    @classmethod
    def of(cls, texts: Sequence[str], reserved: Sequence[int]) -> Borders:
        """The borders of tokens by what they are written as; those that are reserved do nothing."""
        allowed = np.ones(len(texts), bool)
        allowed[list(reserved)] = False

        def those(test: Callable[[str], bool]) -> Array:
            return np.asarray(allowed & np.array([bool(text) and test(text) for text in texts]))

        opens = those(lambda text: is_of_word(text.lstrip(" \t")[:1]))
        spaces = those(lambda text: not text.strip(" \t"))
        return cls(
            spaces=spaces,
            opens=opens,
            goes_on=those(lambda text: is_of_word(text[0])),
            closes=allowed & ~opens & ~spaces,
            ends_line=those(lambda text: LINE_END in text),
        )


def is_of_word(character: str) -> bool:
    """Whether a character, if it is one, is part of a word."""
    if not character:
        return False
    return character.isalnum() or character in INSIDE or unicodedata.category(character)[0] == "M"
