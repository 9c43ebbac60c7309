"""Texts to words, inside the graph: what is cut into pieces, each word on its own."""

from __future__ import annotations

from typing import Literal, NamedTuple

import tensorflow as tf

from rnnapps.preprocessing.normalize_text import SIGN, SPACE, code_points
from rnnapps.types import Tensor

__all__ = ["ISOLATED", "LONGEST_WORD", "Unit", "Words", "changes", "single_words", "split_words", "words_from"]

Unit = Literal["word", "character"]

ISOLATED = "!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~„“”‚‘’«»–—…¿¡"
"""Characters that are words of their own."""
LONGEST_WORD = 100
"""Characters of the longest word; a longer one goes on as another word."""


class Words(NamedTuple):
    """Words of a batch of texts, their characters laid end to end.

    Attributes:
        points: code points, int32 `(characters,)`.
        rows: int64 `(characters,)`, the text each belongs to.
        first: bool `(characters,)`, whether a word begins there.
        words: int32 `(characters,)`, the word each belongs to, counted over all texts.
    """

    points: Tensor
    rows: Tensor
    first: Tensor
    words: Tensor


def split_words(strings: Tensor, *, lowercase: bool = False, unit: Unit = "word", isolated: str = "") -> Words:
    """Normalises strings `(batch,)` (`normalize_text.code_points`) and splits them, in graph.

    Every space, and the beginning of a text that is not empty, is a sign that belongs to the word behind it.
    Punctuation marks, digits and further `isolated` characters are words of their own, words of more than 100
    characters are several; with `unit` "character" every character is a word.
    """
    points, rows = _marked(code_points(strings, lowercase=lowercase))
    if unit == "character":
        return _words(points, rows, tf.ones_like(points, tf.bool))
    alone = tf.reduce_any(tf.equal(points[:, None], tf.constant([ord(c) for c in ISOLATED + isolated])), axis=1)
    after = tf.concat([[True], alone[:-1]], axis=0)[: tf.size(points)]
    return words_from(points, rows, alone | after | changes(rows) | tf.equal(points, SIGN))


def words_from(points: Tensor, rows: Tensor, first: Tensor) -> Words:
    """The words that begin where `first` is True, those that are too long split; arguments as in `Words`."""
    return _shortened(_words(points, rows, first))


def single_words(words: Tensor) -> Words:
    """Takes each of the strings `(batch,)` as one word, as it is."""
    points = tf.strings.unicode_decode(words, "UTF-8")
    rows = points.value_rowids()
    return _words(points.values, rows, changes(rows))


def _words(points: Tensor, rows: Tensor, first: Tensor) -> Words:
    """The words that begin where `first` is True."""
    return Words(points, rows, first, tf.cumsum(tf.cast(first, tf.int32)) - 1)


def _shortened(words: Words) -> Words:
    """Splits words that are too long."""
    places = tf.range(tf.size(words.points))
    inside = places - tf.gather(tf.math.segment_min(places, words.words), words.words)
    return _words(words.points, words.rows, tf.equal(inside % LONGEST_WORD, 0))


def changes(rows: Tensor) -> Tensor:
    """Whether each row number differs from the one before it."""
    return tf.concat([[True], tf.not_equal(rows[1:], rows[:-1])], axis=0)[: tf.size(rows)]


def _marked(points: tf.RaggedTensor) -> tuple[Tensor, Tensor]:
    """Flat code points with a sign for each space and before each text that is not empty, and their rows."""
    filled = tf.cast(points.row_lengths() > 0, tf.int64)
    signs = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(filled)], SPACE), filled)
    marked = tf.concat([signs, points], axis=1)
    return tf.where(tf.equal(marked.values, SPACE), SIGN, marked.values), marked.value_rowids()
