"""Made-up pairs that teach a network to copy what it will see in no training pair: addresses, placeholders, tags."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from rnnapps.tasks.translation.data.pairs import Pair
from rnnapps.tasks.translation.word_dictionary import WordDictionary, words_of

__all__ = ["practice_pairs"]

SHARE = 0.1
"""Made-up pairs over training pairs."""
MOST_MADE = 100_000
MOST_READ = 20_000
"""Training pairs that words and their translations are learned from."""
MOST_WORDS = 3
"""Words of a pair that become spans."""
ROUND = 0.4
"""Share of these that stay, between two spans, as text does between tags."""
TRIES = 5
_LETTERS = re.compile(r"[^\W\d_]+")


def practice_pairs(pairs: Sequence[Pair], *, seed: int) -> list[Pair]:
    """Training pairs in which words and their translations are replaced by placeholders, or stand between two.

    Where a span belongs in a translation is learned from words that occur once on each side, each of which goes with
    the other more than with any other word. One pair is made of ten, with one to three such words, as far as there are
    any.

    Args:
        pairs: training pairs.
        seed: chooses pairs and words.
    """
    draw = random.Random(seed)
    wanted = min(int(SHARE * len(pairs)), MOST_MADE)
    read = (
        list(pairs)
        if len(pairs) <= MOST_READ
        else [pairs[place] for place in draw.sample(range(len(pairs)), MOST_READ)]
    )
    forth = WordDictionary(*map(list, zip(*read, strict=True))).translations if wanted else {}
    back = WordDictionary([pair.target for pair in read], [pair.source for pair in read]).translations if wanted else {}
    mutual = {word: other for word, other in forth.items() if back.get(other) == word}
    made: list[Pair] = []
    for _ in range(TRIES * wanted):
        if len(made) == wanted:
            break
        pair = pairs[draw.randrange(len(pairs))]
        words = _aligned(pair, mutual)
        if words:
            made.append(_with_spans(pair, draw.sample(words, min(len(words), draw.randint(1, MOST_WORDS))), draw))
    return made


def _aligned(pair: Pair, mutual: dict[str, str]) -> list[tuple[str, str]]:
    """Words of a pair and their translations that occur once on each side."""
    source, target = (words_of(text) for text in pair)
    return [
        (word, mutual[word])
        for word in source
        if _LETTERS.fullmatch(word)
        and source.count(word) == 1
        and target.count(mutual.get(word, "")) == 1
        and _LETTERS.fullmatch(mutual[word])
    ]


def _with_spans(pair: Pair, words: Sequence[tuple[str, str]], draw: random.Random) -> Pair:
    """The pair with these words replaced by placeholders, or between two, the same on both sides."""
    source, target = pair
    for number, (word, other) in enumerate(words):
        first, last = f"{{{2 * number}}}", f"{{{2 * number + 1}}}"
        around = draw.random() < ROUND
        source, target = (
            re.sub(rf"\b{own}\b", f"{first}{own}{last}" if around else first, text, count=1)
            for own, text in ((word, source), (other, target))
        )
    return Pair(source, target)
