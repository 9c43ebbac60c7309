"""Words, and pieces of words, as the tokens of a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnapps.data.stored.arrays import ArrayWriter
from rnnapps.data.text.stored_ids import IDS, StoredIds
from rnnapps.preprocessing.joined_rows import join_rows
from rnnapps.preprocessing.longest_pieces import CONTINUED
from rnnapps.preprocessing.merged_pieces import Merge
from rnnapps.preprocessing.pieces import PieceVocabulary, padded
from rnnapps.preprocessing.special_pieces import SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import Unit, Words
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.token_kinds import TokenKind
from rnnapps.tasks.text_generation.tokens.split_text import Alphabet
from rnnapps.tasks.text_generation.tokens.stretches import stretches
from rnnapps.tasks.text_generation.tokens.vocabulary import BEGINNING, Behind, Opened, Texts, begun
from rnnapps.types import Array, Tensor

__all__ = ["TextPieces"]

TOGETHER = 64
"""Stretches of a long text that are cut at once."""

FORMAT = "ids 1"
"""Changes when the same pieces would cut a text otherwise."""


class TextPieces(PieceVocabulary):
    """A `TextVocabulary` of words or subwords: pieces that make up a text without a loss, see `Alphabet`.

    A word that is not among the pieces is spelled: by byte-pair encoding where there are merges, else as the longest
    known word that it begins with and its further characters. So only characters can be unknown.

    Args:
        pieces: as in `PieceVocabulary`; without merges each known character is one at the beginning of a word, and one
            inside.
        merges: as there.
        lowercase: False: the text would not come back.
        unit: "word".
    """

    def __init__(
        self,
        pieces: Sequence[str],
        merges: Sequence[Merge] | None = None,
        *,
        lowercase: bool = False,
        unit: Unit = "word",
    ) -> None:
        super().__init__(pieces, merges, lowercase=lowercase, unit=unit)
        if lowercase or unit != "word":
            raise ValueError("it is one of translation")
        self._alphabet = Alphabet(text for text in self._cutter.texts if len(text) == 1)
        inside = [merges is None and piece.startswith(CONTINUED) for piece in pieces]
        self._may_begin = np.array([*[False] * len(SPECIAL), *np.logical_not(inside)], bool)
        self._beginning = self.texts.index(BEGINNING) if BEGINNING in self.texts else UNKNOWN
        self._cut_all: Callable[[Tensor], Tensor] | None = None

    @property
    def kind(self) -> TokenKind:
        """Words, or subwords where there are merges."""
        return "words" if self.merges is None else "subwords"

    @property
    def known(self) -> frozenset[str]:
        """The characters that it knows."""
        return self._alphabet.characters

    @property
    def reserved(self) -> tuple[int, ...]:
        """See `TextVocabulary`."""
        return tuple(range(len(SPECIAL)))

    def split(self, strings: Tensor) -> Words:
        """Splits strings `(batch,)` into words, in graph."""
        return self._alphabet.split(tf.strings.unicode_decode(strings, "UTF-8"))

    def decode(self, ids: Tensor, lengths: Tensor, unknown: Tensor | None = None) -> Tensor:
        """See `PieceVocabulary`; nothing is taken off the beginning."""
        return self.joined(ids, lengths, unknown)

    def encode_all(self, texts: Texts) -> Array:
        """See `TextVocabulary`: uint16 where they fit and int32 otherwise."""
        return np.concatenate([np.zeros(0, self._dtype), *self._ids_in_parts(texts)])

    def encode_stored(self, text: StoredText) -> StoredIds:
        """See `TextVocabulary`: written once for each vocabulary."""

        def write(folder: Path) -> None:
            with ArrayWriter(folder / IDS, self._dtype) as ids:
                for part in self._ids_in_parts(text):
                    ids.append(part)

        return text.kept_ids(text.key(FORMAT, self.pieces, self.merges), write)

    @property
    def _dtype(self) -> type[np.generic]:
        """Of ids."""
        return np.uint16 if self.size <= 1 << 16 else np.int32

    def _ids_in_parts(self, texts: Texts | StoredText) -> Iterator[Array]:
        """The ids of texts, some thousand characters at once."""
        if self._cut_all is None:
            cut = tf.function(lambda strings: self.cut(strings).ids, autograph=False)
            self._cut_all = cut.get_concrete_function(tf.TensorSpec([None], tf.string))
        pieces = stretches(texts)
        while together := list(islice(pieces, TOGETHER)):
            yield self._cut_all(tf.constant(together)).numpy().astype(self._dtype)

    def open(self, prompts: Tensor) -> Opened:
        """See `TextVocabulary`: an unfinished word with which no token begins is read as it is."""
        points = tf.strings.unicode_decode(begun(prompts), "UTF-8")
        lengths, open_characters = tf.cast(points.row_lengths(), tf.int32), self._alphabet.unfinished(points)
        allowed = self._beginning_with(_cut_rows(points, lengths - open_characters, lengths))
        given = tf.where(tf.reduce_any(allowed, axis=1), open_characters, 0)
        ids, read = self._ids_of(_cut_rows(points, tf.zeros_like(lengths), lengths - given))
        ids, read = self._never_empty(ids, read)
        return Opened(ids, read, self.count_unknown_of(prompts), allowed | tf.equal(given, 0)[:, None], given)

    def encode_behind(self, prompts: Tensor, texts: Tensor) -> Behind:
        """See `TextVocabulary`."""
        first = tf.strings.unicode_decode(begun(prompts), "UTF-8")
        points = tf.concat([first, tf.strings.unicode_decode(texts, "UTF-8")], axis=1)
        pieces = self.cut_words(self._alphabet.split(points))
        borders = tf.cast(points.row_starts() + first.row_lengths(), tf.int32)
        whole = tf.cast(pieces.ends <= tf.gather(borders, pieces.rows), tf.int32)
        begins = tf.math.unsorted_segment_sum(whole, pieces.rows, tf.size(prompts))
        ids, lengths = padded(pieces.ids, pieces.rows, tf.size(prompts))
        ids, first_of_text = self._never_empty(ids, begins)
        return Behind(ids, first_of_text, lengths - begins)

    def count_characters(self, strings: Tensor) -> Tensor:
        """See `TextVocabulary`."""
        return tf.cast(tf.strings.unicode_decode(strings, "UTF-8").row_lengths(), tf.int32)

    def count_unknown_of(self, strings: Tensor) -> Tensor:
        """See `TextVocabulary`."""
        pieces = self.cut(strings)
        unknown = tf.cast(tf.equal(pieces.ids, UNKNOWN), tf.int32)
        return tf.math.unsorted_segment_sum(unknown, pieces.rows, tf.size(strings))

    def unknown_characters(self, text: str) -> dict[str, int]:
        """See `TextVocabulary`."""
        return dict(Counter(character for character in text if character not in self.known))

    def _beginning_with(self, points: tf.RaggedTensor) -> Tensor:
        """Which pieces begin with what is written, bool `(batch, vocabulary)`; none with nothing."""
        beginnings = tf.strings.unicode_encode(points, "UTF-8")
        lengths = tf.strings.length(beginnings)[:, None]
        texts = tf.tile(self.look_up(tf.range(self.size))[None], [tf.size(beginnings), 1])
        same = tf.equal(tf.strings.substr(texts, tf.zeros_like(lengths), lengths), beginnings[:, None])
        return same & (lengths > 0) & tf.constant(self._may_begin)

    def _ids_of(self, points: tf.RaggedTensor) -> tuple[Tensor, Tensor]:
        """Ids `(batch, pieces)` and lengths `(batch,)` of code points."""
        pieces = self.cut_words(self._alphabet.split(points))
        return padded(pieces.ids, pieces.rows, points.nrows())

    def _never_empty(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Ids with the beginning of a line before those of which none are read, and how many are read then."""
        front = tf.fill([tf.size(lengths), 1], self._beginning)
        return join_rows(front, tf.cast(tf.equal(lengths, 0), tf.int32), ids), tf.maximum(lengths, 1)


def _cut_rows(points: tf.RaggedTensor, starts: Tensor, ends: Tensor) -> tf.RaggedTensor:
    """What lies from a place of each row to before another."""
    rows = points.value_rowids()
    places = tf.range(tf.size(points.values)) - tf.gather(tf.cast(points.row_starts(), tf.int32), rows)
    kept = (places >= tf.gather(starts, rows)) & (places < tf.gather(ends, rows))
    values, owners = tf.boolean_mask(points.values, kept), tf.boolean_mask(rows, kept)
    return tf.RaggedTensor.from_value_rowids(values, owners, nrows=points.nrows())
