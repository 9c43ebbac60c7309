"""Characters to ids and back: one id for each Unicode code point seen in training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.types import Array, Tensor

__all__ = ["UNKNOWN_ID", "CharacterVocabulary"]

UNKNOWN_ID = 0
FILE_NAME = "characters.json"
_REPLACEMENT = 0xFFFD
_PIECE_CHARACTERS = 1 << 20


class CharacterVocabulary:
    """A fixed list of known characters; a character is one Unicode code point, as in Python's `list(text)`.

    Id 0 stands for every unknown character and decodes to U+FFFD; the i-th known character has id i + 1.
    `encode` and `decode` use TensorFlow core ops and no lookup table: the same code runs in tf.data and when served.

    Args:
        characters: the known characters in the order of their ids, each once.

    Raises:
        ValueError: a character occurs twice or is a lone surrogate.
    """

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters):
            raise ValueError("characters must not repeat")
        if any(0xD800 <= ord(character) <= 0xDFFF for character in characters):
            raise ValueError("lone surrogates are not characters")
        self.characters = characters
        points = _code_points(characters).astype(np.int32)
        order = np.argsort(points)
        # A sentinel above all code points keeps the search inside the tables.
        self._sorted_points = np.append(points[order], np.int32(0x110000))
        self._sorted_ids = np.append(order.astype(np.int32) + 1, np.int32(UNKNOWN_ID))
        self._points_of_ids = np.append(np.int32(_REPLACEMENT), points)

    @property
    def size(self) -> int:
        """Number of ids: the known characters and the unknown one."""
        return len(self.characters) + 1

    @classmethod
    def fit(cls, texts: tf.data.Dataset | Iterable[str | bytes]) -> CharacterVocabulary:
        """Learns the characters of the texts; ids follow the code points."""
        return cls(_distinct(texts))

    def grow(self, texts: tf.data.Dataset | Iterable[str | bytes]) -> CharacterVocabulary:
        """Returns a vocabulary with the new characters of the texts after the old ones, whose ids stay."""
        known = set(self.characters)
        return CharacterVocabulary(self.characters + "".join(c for c in _distinct(texts) if c not in known))

    def encode(self, strings: Tensor) -> tuple[Tensor, Tensor]:
        """Maps strings `(batch,)` (UTF-8) to ids, in graph.

        Invalid UTF-8 counts as U+FFFD.

        Returns:
            Ids int32 `(batch, time)`, zero after each string's end, and lengths int32 `(batch,)` in characters.
        """
        points = tf.strings.unicode_decode(tf.convert_to_tensor(strings), "UTF-8")
        lengths = tf.cast(points.row_lengths(), tf.int32)
        ids = points.with_values(self._ids(points.values)).to_tensor(default_value=UNKNOWN_ID)
        return ids, lengths

    def decode(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Maps ids `(batch, time)` and lengths `(batch,)` to strings `(batch,)` (UTF-8), in graph."""
        points = tf.gather(tf.constant(self._points_of_ids), ids)
        ragged = tf.RaggedTensor.from_tensor(points, lengths=tf.cast(lengths, tf.int64))
        return tf.strings.unicode_encode(ragged, "UTF-8")

    def encode_all(self, texts: tf.data.Dataset | Iterable[str | bytes]) -> Array:
        """Encodes the concatenation of texts with a table in memory: the ids of `encode`, much faster for long texts.

        Returns:
            Ids `(characters,)`, uint16 where they fit and int32 otherwise.
        """
        table = self.table()
        return np.concatenate([table[:0], *(table[_code_points(piece)] for piece in _pieces(texts))])

    def table(self) -> Array:
        """The id of each code point `(code points,)`, uint16 where they fit and int32 otherwise."""
        table = np.full(0x110000, UNKNOWN_ID, np.uint16 if self.size <= 1 << 16 else np.int32)
        table[_code_points(self.characters)] = np.arange(1, self.size)
        return table

    def count_unknown(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Number of unknown characters `(batch,)`, int32, among the first `lengths` ids of each row, in graph."""
        inside = tf.sequence_mask(lengths, tf.shape(ids)[1])
        return tf.reduce_sum(tf.cast(inside & tf.equal(ids, UNKNOWN_ID), tf.int32), axis=1)

    def unknown_characters(self, text: str) -> dict[str, int]:
        """Counts the characters of a text that are not known, in the order of their first occurrence."""
        known, counts = set(self.characters), dict[str, int]()
        for character in text:
            if character not in known:
                counts[character] = counts.get(character, 0) + 1
        return counts

    def save(self, folder: str | Path) -> None:
        """Writes `characters.json`: the characters in the order of their ids.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        write_json(Path(folder) / FILE_NAME, {"characters": self.characters})

    @classmethod
    def load(cls, folder: str | Path) -> CharacterVocabulary:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        content = read_json(path)
        characters = content.get("characters") if isinstance(content, dict) else None
        if not isinstance(characters, str):
            raise CheckpointError(f"{path}: has no text under the key characters; restore the file or train again")
        try:
            return cls(characters)
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}; restore the file or train again") from None

    def _ids(self, points: Tensor) -> Tensor:
        """Ids of flat code points `(characters,)`."""
        index = tf.searchsorted(tf.constant(self._sorted_points), points)
        known = tf.equal(tf.gather(tf.constant(self._sorted_points), index), points)
        return tf.where(known, tf.gather(tf.constant(self._sorted_ids), index), UNKNOWN_ID)


def _code_points(text: str) -> Array:
    """uint32 `(characters,)`."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _distinct(texts: tf.data.Dataset | Iterable[str | bytes]) -> str:
    """The distinct characters in the order of their code points."""
    seen = np.zeros(0x110000, bool)
    for piece in _pieces(texts):
        seen[_code_points(piece)] = True
    return "".join(map(chr, np.flatnonzero(seen)))


def _pieces(texts: tf.data.Dataset | Iterable[str | bytes]) -> Iterator[str]:
    """The texts in pieces of bounded size, so that a long one is never held in four bytes a character."""
    for text in texts.as_numpy_iterator() if isinstance(texts, tf.data.Dataset) else texts:
        whole = text.decode("utf-8") if isinstance(text, bytes) else text
        for start in range(0, len(whole), _PIECE_CHARACTERS):
            yield whole[start : start + _PIECE_CHARACTERS]
