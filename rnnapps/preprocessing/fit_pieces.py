"""Vocabularies of pieces learned from texts, and extended by others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import tensorflow as tf

from rnnapps.preprocessing.normalize_text import SIGN
from rnnapps.preprocessing.pieces import CONTINUED, LONGEST_WORD, SPECIAL, UNKNOWN, PieceVocabulary

__all__ = ["Tokens", "fit_pieces", "grow_pieces"]

Tokens = Literal["subwords", "words", "characters"]

CHUNK = 2048
SHARE_OF_CHARACTERS = 2
"""Of a subword vocabulary at most one piece in so many is a single character."""


def fit_pieces(texts: Sequence[str], *, tokens: Tokens, size: int, lowercase: bool = False) -> PieceVocabulary:
    """Learns a vocabulary.

    - "subwords": pieces of words that occur together often, found by merging pairs, by the library `tokenizers`
      (`WordPieceTrainer`), and all frequent characters, so that every word of known characters can be cut.
    - "words": the most frequent words and punctuation marks.
    - "characters": the most frequent characters.

    Args:
        texts: what to learn from.
        tokens: kind of the pieces.
        size: the most ids.
        lowercase: write all texts in lower case.
    """
    room = size - len(SPECIAL)
    if tokens == "characters":
        empty = PieceVocabulary([], lowercase=lowercase, unit="character")
        return PieceVocabulary(_most_common(_words(texts, empty), room), lowercase=lowercase, unit="character")
    words = _words(texts, PieceVocabulary([], lowercase=lowercase))
    pieces = _most_common(words, room) if tokens == "words" else _subwords(words, room)
    return PieceVocabulary(pieces, lowercase=lowercase)


def grow_pieces(vocabulary: PieceVocabulary, texts: Sequence[str], *, most: int) -> PieceVocabulary:
    """Adds what new texts need behind the pieces of a vocabulary, whose ids stay.

    These are the new characters, as far as the vocabulary cuts words into pieces, and the most frequent new words that
    were unknown or cut into three pieces or more.

    Args:
        vocabulary: the old one.
        texts: the new texts.
        most: the most pieces to add.
    """
    words = _words(texts, PieceVocabulary([], lowercase=vocabulary.lowercase, unit=vocabulary.unit))
    added: list[str] = []
    if any(piece.startswith(CONTINUED) for piece in vocabulary.pieces):
        added = [piece for piece in _character_pieces(words, most) if piece not in set(vocabulary.pieces)][:most]
    between = PieceVocabulary([*vocabulary.pieces, *added], lowercase=vocabulary.lowercase, unit=vocabulary.unit)
    hard = Counter({word: count for word, count in words.items() if count > 1 and _is_hard(word, between)})
    new = [word for word in _most_common(hard, most - len(added)) if word not in set(between.pieces)]
    return PieceVocabulary([*between.pieces, *new], lowercase=vocabulary.lowercase, unit=vocabulary.unit)


def _is_hard(word: str, vocabulary: PieceVocabulary) -> bool:
    if vocabulary.unit == "character":
        return True
    if word.startswith(chr(SIGN)):
        ids = vocabulary.cut([word[1:]]).ids.numpy()
        return len(word) <= LONGEST_WORD and len(word) > 1 and (len(ids) > 2 or UNKNOWN in ids)
    return False


def _words(texts: Sequence[str], splitter: PieceVocabulary) -> Counter[str]:
    """How often each word occurs: for a vocabulary without pieces every word is one unknown piece."""
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), CHUNK):
        found = splitter.cut(tf.constant(list(texts[start : start + CHUNK])))
        words = tf.ragged.range(found.starts, found.ends)
        points = words.with_values(tf.gather(found.points, words.values))
        counts.update(word.decode() for word in tf.strings.unicode_encode(points, "UTF-8").numpy())
    return counts


def _most_common(counts: Counter[str], most: int) -> list[str]:
    """The most frequent entries, by falling count and then in the order of their characters."""
    return sorted(counts, key=lambda entry: (-counts[entry], entry))[: max(most, 0)]


def _subwords(words: Counter[str], room: int) -> list[str]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    characters = _character_pieces(words, room // SHARE_OF_CHARACTERS)
    alphabet = sorted(_character_pieces(words, 2 * len({character for word in words for character in word})))
    count = max(room - len(characters), 0)
    trainer = trainers.WordPieceTrainer(
        vocab_size=count + len(alphabet) + 1,
        show_progress=False,
        # In a fixed order: the library would number them differently in every process, and its ties fall by number.
        special_tokens=[SPECIAL[UNKNOWN], *alphabet],
        continuing_subword_prefix=CONTINUED,
    )
    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL[UNKNOWN]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(_lines(words), trainer)
    known = {SPECIAL[UNKNOWN], *alphabet}
    learned = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return [*characters, *[piece for piece, _ in learned if piece not in known][:count]]


def _lines(words: Counter[str]) -> Iterator[str]:
    """Texts in which every word occurs as often as it was counted, the same at every call."""
    for word in sorted(words):
        for start in range(0, words[word], CHUNK):
            yield " ".join([word] * min(CHUNK, words[word] - start))


def _character_pieces(words: Counter[str], most: int) -> list[str]:
    """The most frequent characters, each as the beginning and as the continuation of a word."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    chosen = _most_common(counts, most // 2)
    sign = chr(SIGN)
    return [
        piece for character in chosen for piece in ([sign] if character == sign else [character, CONTINUED + character])
    ]
