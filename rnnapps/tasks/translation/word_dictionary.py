"""A naive translator: word by word, from how often words occur in the same sentence pairs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["WordDictionary", "words_of"]

_WORD = re.compile(r"\w+|[^\w\s]")
MOST_WORDS = 100
"""Different words of a longer sentence are not counted: pairs grow with the square."""


def words_of(text: str) -> list[str]:
    """Words and punctuation marks."""
    return _WORD.findall(text)


class WordDictionary:
    """The translation of each source word: the target word it is associated with most.

    The association is Dice's coefficient (Dice 1945; for bilingual dictionaries Smadja et al. 1996): twice the number
    of pairs in which both words occur, over the sum of those in which each occurs. Unknown words are copied.

    Args:
        sources: training sentences.
        targets: their translations.
    """

    def __init__(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        together: Counter[tuple[str, str]] = Counter()
        alone: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for pair in zip(sources, targets, strict=True):
            sides = [list(dict.fromkeys(words_of(text)))[:MOST_WORDS] for text in pair]
            for counts, words in zip(alone, sides, strict=True):
                counts.update(words)
            together.update((a, b) for a in sides[0] for b in sides[1])
        best: dict[str, tuple[float, str]] = {}
        for (word, other), count in together.items():
            value = (2 * count / (alone[0][word] + alone[1][other]), other)
            if word not in best or (-value[0], value[1]) < (-best[word][0], best[word][1]):
                best[word] = value
        self.translations = {word: other for word, (_, other) in best.items()}

    def translate(self, sentence: str) -> str:
        """Translates word by word, in the order of the source."""
        return " ".join(self.translations.get(word, word) for word in words_of(sentence))
