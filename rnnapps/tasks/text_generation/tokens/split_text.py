"""A text split into words so that nothing of it is lost, inside the graph."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from rnnapps.preprocessing.normalize_text import SIGN, SPACE
from rnnapps.preprocessing.split_words import Words, changes, words_from
from rnnapps.types import Tensor

__all__ = ["REPLACEMENT", "Alphabet"]

REPLACEMENT = 0xFFFD
"""Stands for an unknown character."""

LETTER, MARK, BLANK, GAP, STRANGE = range(5)
"""Kinds of characters: of words, marks and digits, ends of lines and the like, spaces, unknown ones."""

LAST = 0x110000


class Alphabet:
    """The characters that a vocabulary knows, and how words begin among them.

    A word is a run of letters, or a single mark or digit, each with the space before it; or a run of line ends and
    tabs; or a run of spaces, of which the last belongs to what follows; or a single unknown character. A space is
    written as the sign that tokenizers write for it; a sign in the text is unknown, as what stands for unknown
    characters is.

    Args:
        characters: the known ones, the sign for a space among them.
    """

    def __init__(self, characters: Iterable[str]) -> None:
        known = sorted(map(ord, set(characters)))
        self.characters = frozenset(" " if point == SIGN else chr(point) for point in known)
        """As they stand in texts."""
        self._points = np.array([*known, LAST], np.int32)
        self._kinds = np.array([*(_kind(point) for point in known), STRANGE], np.int32)

    def recognize(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Code points `(characters,)` -> the same with signs for spaces and unknown ones replaced; their kinds."""
        signed = tf.where(tf.equal(points, SPACE), SIGN, tf.where(tf.equal(points, SIGN), REPLACEMENT, points))
        index = tf.searchsorted(self._points, signed)
        known = tf.equal(tf.gather(self._points, index), signed)
        return tf.where(known, signed, REPLACEMENT), tf.where(known, tf.gather(self._kinds, index), STRANGE)

    def split(self, points: tf.RaggedTensor) -> Words:
        """Splits texts, code points `(batch, characters)`, in graph."""
        values, kinds = self.recognize(points.values)
        rows = points.value_rowids()
        new = changes(rows)
        before = tf.concat([[BLANK], kinds[:-1]], axis=0)[: tf.size(kinds)]
        last = tf.concat([new[1:], [True]], axis=0)[: tf.size(kinds)]
        after = tf.where(last, BLANK, tf.concat([kinds[1:], [BLANK]], axis=0)[: tf.size(kinds)])
        belongs = tf.equal(kinds, GAP) & tf.equal(before, GAP) & (after <= MARK)  # to what follows, not to the run
        gap = tf.equal(kinds, GAP) & (tf.not_equal(before, GAP) | belongs)
        letter = tf.equal(kinds, LETTER) & tf.not_equal(before, LETTER) & tf.not_equal(before, GAP)
        mark = tf.equal(kinds, MARK) & tf.not_equal(before, GAP)
        blank = tf.equal(kinds, BLANK) & tf.not_equal(before, BLANK)
        return words_from(values, rows, new | gap | letter | mark | blank | tf.equal(kinds, STRANGE))

    def unfinished(self, points: tf.RaggedTensor) -> Tensor:
        """How many characters at the end of each text may be the beginning of a longer word, int32 `(batch,)`.

        Args:
            points: code points `(batch, characters)`, of one character at least.
        """
        words, (_, kinds) = self.split(points), self.recognize(points.values)
        ends = tf.cast(points.row_splits[1:], tf.int32)
        last = tf.gather(kinds, ends - 1)
        begins = tf.where(words.first, tf.range(tf.size(kinds)), -1)
        begin = tf.math.segment_max(begins, words.rows)
        return tf.where(tf.equal(last, LETTER), ends - begin, tf.where(tf.equal(last, GAP), 1, 0))


def _kind(point: int) -> int:
    """The kind of a known character."""
    if point == SIGN:
        return GAP
    character = chr(point)
    if character.isspace() or unicodedata.category(character) == "Cc":
        return BLANK
    return MARK if unicodedata.category(character)[0] in "PSN" else LETTER
