"""Vocabularies of pieces learned from texts, and extended by others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from rnnapps.preprocessing.count_words import count_words
from rnnapps.preprocessing.learn_subwords import (
    beginning_and_inside,
    characters_of,
    ids_of_words,
    learn_merges,
    learn_wordpieces,
    most_common,
)
from rnnapps.preprocessing.longest_pieces import CONTINUED
from rnnapps.preprocessing.piece_kinds import PieceKind
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.special_pieces import SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import Unit

__all__ = ["fit_pieces", "grow_pieces"]

VocabularyT = TypeVar("VocabularyT", bound=PieceVocabulary)

SHARE_OF_CHARACTERS = 2
"""Of a vocabulary of subwords at most one piece in so many is a single character."""


def fit_pieces(texts: Iterable[str], *, tokens: PieceKind, size: int, lowercase: bool = False) -> PieceVocabulary:
    """Learns a vocabulary.

    - "subwords": the most frequent characters, and what becomes of merging the most frequent pairs of neighbours, again
      and again: byte-pair encoding, learned by the library `tokenizers`.
    - "wordpieces": the same pieces in the main, but words are cut into the longest of them from the left.
    - "words": the most frequent words and punctuation marks.
    - "characters": the most frequent characters.

    Args:
        texts: what to learn from.
        tokens: kind of the pieces.
        size: the most ids.
        lowercase: write all texts in lower case.
    """
    room = size - len(SPECIAL)
    unit: Unit = "character" if tokens == "characters" else "word"
    words = count_words(PieceVocabulary([], lowercase=lowercase, unit=unit).split, texts)
    if tokens == "subwords":
        characters = most_common(characters_of(words), room // SHARE_OF_CHARACTERS)
        start = PieceVocabulary(characters, [], lowercase=lowercase)
        return learn_merges(start, words, room - len(characters))
    if tokens == "wordpieces":
        characters = most_common(characters_of(words), room // SHARE_OF_CHARACTERS // 2)
        return PieceVocabulary(learn_wordpieces(words, characters, room), lowercase=lowercase)
    return PieceVocabulary(most_common(words, room), lowercase=lowercase, unit=unit)


def grow_pieces(vocabulary: VocabularyT, texts: Iterable[str], *, most: int) -> VocabularyT:
    """Adds what new texts need behind the pieces and merges of a vocabulary, whose ids and order stay.

    These are the new characters, as far as the vocabulary cuts words into pieces, and then what makes fewer pieces of
    the words that were unknown or cut into three pieces or more, and occur twice or more: for byte-pair encoding new
    merges, learned from the pieces of these words, else the most frequent of these words themselves.

    Old merges come before new ones. So byte-pair encoding cuts any word as before, unless the word has a new character,
    or two neighbours among its old pieces are a new merge.

    Args:
        vocabulary: the old one.
        texts: the new texts.
        most: the most pieces to add.
    """
    words = count_words(vocabulary.split, texts)
    between = vocabulary.extended(_new_characters(vocabulary, words)[: max(most, 0)])
    room = most - (between.size - vocabulary.size)
    frequent = [word for word, count in words.items() if count > 1]
    cut = zip(frequent, ids_of_words(between, frequent), strict=True)
    hard = Counter({word: words[word] for word, ids in cut if len(ids) > 2 or UNKNOWN in ids})
    if vocabulary.merges is not None:
        return learn_merges(between, hard, room)
    return between.extended(most_common(hard, room))


def _new_characters(vocabulary: PieceVocabulary, words: Counter[str]) -> list[str]:
    """Pieces for the characters that a vocabulary of subwords does not know, the most frequent first."""
    characters = most_common(characters_of(words))
    if vocabulary.merges is None:
        inside_words = any(piece.startswith(CONTINUED) for piece in vocabulary.pieces)
        characters = beginning_and_inside(characters) if inside_words else []
    known = set(vocabulary.pieces)
    return [piece for piece in characters if piece not in known]
