"""Text to the ids of pieces (subwords, words or characters) and back, inside the graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.longest_pieces import LongestPieces
from rnnapps.preprocessing.merged_pieces import Merge, MergedPieces
from rnnapps.preprocessing.normalize_text import SIGN
from rnnapps.preprocessing.special_pieces import PADDING, SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import Unit, Words, split_words
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.types import Size, Tensor

__all__ = ["FILE_NAME", "PieceVocabulary", "Pieces", "padded"]

FILE_NAME = "pieces.json"


class Pieces(NamedTuple):
    """Pieces of a batch of texts, laid end to end.

    Attributes:
        ids: int32 `(pieces,)`.
        rows: int64 `(pieces,)`, the text each piece belongs to.
        starts: int32 `(pieces,)`, its first character in `points`.
        ends: int32 `(pieces,)`, behind its last one.
        points: code points of all texts, int32 `(characters,)`.
    """

    ids: Tensor
    rows: Tensor
    starts: Tensor
    ends: Tensor
    points: Tensor


class PieceVocabulary:
    """Pieces of text and their ids.

    A text is normalised and split into words (`split_words`), and each word is cut on its own. With merges it is cut by
    byte-pair encoding (`MergedPieces`), without them into the longest pieces from its left end (`LongestPieces`). With
    all words of a text as pieces the latter is a vocabulary of words; with `unit` "character" every character is a
    word, and it is one of characters.

    Ids 0 to 3 are padding, unknown, start and end; piece number i has id i + 4. Encoding and decoding are TensorFlow
    core ops without lookup tables.

    Args:
        pieces: distinct, not empty; "▁" stands for a space.
        merges: pairs of pieces in the order in which they were learned, for byte-pair encoding.
        lowercase: whether texts are written in lower case.
        unit: what is cut into pieces.

    Raises:
        ValueError: pieces are empty or occur twice, or merges do not fit them.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        merges: Sequence[Merge] | None = None,
        *,
        lowercase: bool = False,
        unit: Unit = "word",
    ) -> None:
        if len(set(pieces)) != len(pieces) or not all(pieces):
            raise ValueError("pieces must be distinct and not empty")
        if unit not in ("word", "character"):
            raise ValueError("unit must be word or character")
        if unit == "character" and merges is not None:
            raise ValueError("merges need words, not characters")
        self.pieces, self.lowercase, self.unit = list(pieces), lowercase, unit
        self.merges = None if merges is None else list(merges)
        self._cutter = LongestPieces(pieces) if merges is None else MergedPieces(pieces, merges)
        self.texts = ["", "\ufffd", "", "", *(text.replace(chr(SIGN), " ") for text in self._cutter.texts)]
        """What each id is written as."""
        self._encoded = [text.encode() for text in self.texts]

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.pieces) + len(SPECIAL)

    @property
    def names(self) -> list[str]:
        """What each id is called."""
        return [*SPECIAL, *self.pieces]

    def extended(self, pieces: Sequence[str], merges: Sequence[Merge] = ()) -> Self:
        """A vocabulary with more pieces and merges behind the present ones."""
        merged = None if self.merges is None else [*self.merges, *merges]
        return type(self)([*self.pieces, *pieces], merged, lowercase=self.lowercase, unit=self.unit)

    def encode(self, strings: Tensor) -> tuple[Tensor, Tensor]:
        """Maps strings `(batch,)` to ids int32 `(batch, pieces)`, 0 after a row's end, and lengths int32 `(batch,)`."""
        pieces = self.cut(strings)
        return padded(pieces.ids, pieces.rows, tf.size(strings))

    def encode_with_texts(self, strings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Also returns what each piece stands for in the text, strings `(batch, pieces)`."""
        pieces = self.cut(strings)
        ids, lengths = padded(pieces.ids, pieces.rows, tf.size(strings))
        spans = tf.ragged.range(pieces.starts, pieces.ends)
        points = spans.with_values(tf.gather(pieces.points, spans.values))
        texts = tf.strings.regex_replace(tf.strings.unicode_encode(points, "UTF-8"), chr(SIGN), " ")
        rows = tf.RaggedTensor.from_value_rowids(texts, pieces.rows, nrows=tf.size(strings, tf.int64))
        return ids, lengths, rows.to_tensor(default_value="")

    def decode(self, ids: Tensor, lengths: Tensor, unknown: Tensor | None = None) -> Tensor:
        """Maps ids `(batch, pieces)` and lengths `(batch,)` to strings `(batch,)`.

        Args:
            ids: int32; padding, start and end are no text.
            lengths: int32.
            unknown: strings `(batch, pieces)` to write for unknown pieces; U+FFFD by default.
        """
        return tf.strings.regex_replace(self.joined(ids, lengths, unknown), "^ ", "")

    def joined(self, ids: Tensor, lengths: Tensor, unknown: Tensor | None = None) -> Tensor:
        """The same with the space, if there is one, before the first word."""
        texts = self.look_up(ids)
        if unknown is not None:
            texts = tf.where(tf.equal(ids, UNKNOWN), unknown, texts)
        return tf.strings.reduce_join(tf.where(tf.sequence_mask(lengths, tf.shape(ids)[1]), texts, ""), axis=1)

    def look_up(self, ids: Tensor) -> Tensor:
        """What each of the ids, of any shape, is written as, in graph; "" for padding, start and end."""
        return tf.gather(tf.constant(self._encoded), ids)

    def split(self, strings: Tensor) -> Words:
        """Normalises strings `(batch,)` and splits them into words, in graph; a derived class may split otherwise."""
        return split_words(strings, lowercase=self.lowercase, unit=self.unit)

    def cut(self, strings: Tensor) -> Pieces:
        """Cuts strings `(batch,)` into pieces, in graph."""
        return self.cut_words(self.split(strings))

    def cut_words(self, words: Words) -> Pieces:
        """Cuts words into pieces, in graph; the pieces of all words make up all characters."""
        ids = self._cutter.ids(words)
        starts = tf.cast(tf.where(ids > PADDING)[:, 0], tf.int32)
        ends = tf.concat([starts[1:], [tf.size(ids)]], axis=0)[: tf.size(starts)]
        return Pieces(tf.gather(ids, starts), tf.gather(words.rows, starts), starts, ends, words.points)

    def unknown_share(self, strings: Tensor) -> float:
        """Share of the pieces of strings `(batch,)` that are unknown."""
        ids = self.cut(strings).ids
        return float(tf.reduce_mean(tf.cast(tf.equal(ids, UNKNOWN), tf.float32))) if int(tf.size(ids)) else 0.0

    def save(self, folder: str | Path) -> None:
        """Writes `pieces.json`; a merge is its two pieces with a space between them.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        merges = None if self.merges is None else [" ".join(merge) for merge in self.merges]
        content = {"pieces": self.pieces, "merges": merges, "lowercase": self.lowercase, "unit": self.unit}
        write_json(Path(folder) / FILE_NAME, content)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        content = read_json(path)
        try:
            pieces, lowercase, unit = (content[name] for name in ("pieces", "lowercase", "unit"))
            merges = content.get("merges")  # files of earlier versions have none
            if not isinstance(lowercase, bool) or not (_are_texts(pieces) and (merges is None or _are_texts(merges))):
                raise ValueError("holds values of another kind")
            return cls(pieces, merges and [_pair(merge) for merge in merges], lowercase=lowercase, unit=unit)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: is no vocabulary ({error}); restore the file or train again") from None


def _are_texts(values: object) -> bool:
    """Whether a value read from a file is a list of texts."""
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _pair(merge: str) -> Merge:
    """The two pieces of a merge as it is stored."""
    parts = merge.split(" ")
    if len(parts) != 2:
        raise ValueError(f"{merge!r} is no pair of pieces")
    return parts[0], parts[1]


def padded(ids: Tensor, rows: Tensor, count: Size) -> tuple[Tensor, Tensor]:
    """Flat ids and their rows, each `(pieces,)` -> ids `(count, most)`, 0 after an end, and lengths `(count,)`."""
    ragged = tf.RaggedTensor.from_value_rowids(ids, rows, nrows=tf.cast(count, tf.int64))
    return ragged.to_tensor(default_value=PADDING), tf.cast(ragged.row_lengths(), tf.int32)
