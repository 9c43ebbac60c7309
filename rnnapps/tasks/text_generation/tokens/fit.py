"""Words and subwords learned from a text, and extended by others."""

from __future__ import annotations

from collections import Counter

from rnnapps.preprocessing.count_words import count_words
from rnnapps.preprocessing.fit_pieces import SHARE_OF_CHARACTERS, grow_pieces
from rnnapps.preprocessing.learn_subwords import learn_merges, most_common
from rnnapps.preprocessing.longest_pieces import CONTINUED
from rnnapps.preprocessing.normalize_text import SIGN
from rnnapps.preprocessing.special_pieces import SPECIAL
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.tokens.pieces import TextPieces
from rnnapps.tasks.text_generation.tokens.split_text import REPLACEMENT
from rnnapps.tasks.text_generation.tokens.stretches import learned_stretches, stretches
from rnnapps.tasks.text_generation.tokens.vocabulary import Texts

__all__ = ["fit_text_pieces", "grow_text_pieces"]


def fit_text_pieces(texts: Texts | StoredText, *, subwords: bool, size: int) -> TextPieces:
    """Learns a vocabulary: all characters, but the rarest where they are many, and the most frequent words or merges.

    Args:
        texts: what to learn from.
        subwords: pieces of words (byte-pair encoding), not whole words.
        size: the most ids.
    """
    room, every = size - len(SPECIAL), most_common(_characters(texts))
    if subwords:
        start = TextPieces(every[: room // SHARE_OF_CHARACTERS], [])
        return learn_merges(start, count_words(start.split, learned_stretches(texts)), size - start.size)
    start = TextPieces(_at_both_places(every[: room // SHARE_OF_CHARACTERS // 2]))
    return start.extended(_longer(start, count_words(start.split, learned_stretches(texts)))[: size - start.size])


def grow_text_pieces(vocabulary: TextPieces, texts: Texts | StoredText, *, most: int) -> TextPieces:
    """Adds the new characters of texts, and then merges or words that make fewer pieces of them; see `grow_pieces`.

    Args:
        vocabulary: the old one, whose ids stay.
        texts: the new texts.
        most: the most pieces to add.
    """
    new = [text for text in most_common(_characters(texts)) if text.replace(chr(SIGN), " ") not in vocabulary.known]
    added = (new if vocabulary.merges is not None else _at_both_places(new))[:most]
    between = vocabulary.extended(added)
    return grow_pieces(between, learned_stretches(texts), most=most - len(added))


def _characters(texts: Texts | StoredText) -> Counter[str]:
    """How often each character occurs; a sign stands for a space, and what stands for others is none."""
    counts: Counter[str] = Counter()
    if isinstance(texts, StoredText):
        counts.update(texts.symbols())
    else:
        for text in stretches(texts):
            counts.update(text)
    for sign in (SIGN, REPLACEMENT):
        del counts[chr(sign)]
    if " " in counts:
        counts[chr(SIGN)] = counts.pop(" ")
    return counts


def _at_both_places(characters: list[str]) -> list[str]:
    """Each character as a piece at the beginning of a word, and as one inside."""
    return [piece for character in characters for piece in (character, CONTINUED + character)]


def _longer(start: TextPieces, words: Counter[str]) -> list[str]:
    """The words that are no piece yet and occur twice or more, the most frequent first."""
    known = set(start.pieces)
    return [
        word for word in most_common(words) if words[word] > 1 and word not in known and chr(REPLACEMENT) not in word
    ]
