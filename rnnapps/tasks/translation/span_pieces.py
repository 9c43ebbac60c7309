"""Pieces of texts in which symbols stand for what is copied."""

from __future__ import annotations

from typing import Self

import tensorflow as tf

from rnnapps.preprocessing.normalize_text import SIGN
from rnnapps.preprocessing.pieces import PieceVocabulary
from rnnapps.preprocessing.split_words import Words, split_words
from rnnapps.tasks.translation.copied_spans import SYMBOLS
from rnnapps.types import Tensor

__all__ = ["SpanPieces"]


class SpanPieces(PieceVocabulary):
    """A vocabulary that has each symbol of `CopiedSpans` as a piece, and as a word of its own."""

    @classmethod
    def of(cls, vocabulary: PieceVocabulary) -> Self:
        """The pieces of a vocabulary, those of the symbols behind them, and that of the space before a symbol."""
        space = [chr(SIGN)] * (chr(SIGN) not in vocabulary.pieces)
        pieces = [*vocabulary.pieces, *space, *SYMBOLS]
        return cls(pieces, vocabulary.merges, lowercase=vocabulary.lowercase, unit=vocabulary.unit)

    @property
    def first_symbol(self) -> int:
        """Id of the first symbol; those of the others follow."""
        return self.names.index(SYMBOLS[0])

    def split(self, strings: Tensor) -> Words:
        """As `PieceVocabulary` does, but that symbols are words."""
        return split_words(strings, lowercase=self.lowercase, unit=self.unit, isolated=SYMBOLS)

    def numbers(self, ids: Tensor) -> Tensor:
        """Which symbol each of the ids, of any shape, is, int32; -1 of those that are none."""
        first = self.first_symbol
        return tf.where((ids >= first) & (ids < first + len(SYMBOLS)), ids - first, -1)
