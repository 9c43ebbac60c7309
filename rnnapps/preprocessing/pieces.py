"""Text to the ids of pieces (subwords, words or characters) and back, inside the graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.normalize_text import SIGN, SPACE, code_points
from rnnapps.preprocessing.storage import read_json, write_json

__all__ = [
    "CONTINUED",
    "END",
    "ISOLATED",
    "LONGEST_WORD",
    "PADDING",
    "SPECIAL",
    "START",
    "UNKNOWN",
    "PieceVocabulary",
    "Pieces",
]

Array = np.ndarray[Any, Any]
Unit = Literal["word", "character"]

PADDING, UNKNOWN, START, END = range(4)
SPECIAL = ("<padding>", "<unknown>", "<start>", "<end>")
CONTINUED = "##"
"""Begins a piece that continues a word."""
ISOLATED = "!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~„“”‚‘’«»–—…¿¡"
"""Characters that are words of their own."""
LONGEST_WORD = 100
"""Characters of the longest word that is cut into pieces; longer ones are unknown."""
FILE_NAME = "pieces.json"
_BITS = 21


class Pieces(NamedTuple):
    """Pieces of a batch of texts, laid end to end.

    Attributes:
        ids: int32 `(pieces,)`.
        rows: int64 `(pieces,)`, the text each piece belongs to.
        starts: int32 `(pieces,)`, its first character in `points`.
        ends: int32 `(pieces,)`, behind its last one.
        points: code points of all texts, int32 `(characters,)`.
    """

    ids: Any
    rows: Any
    starts: Any
    ends: Any
    points: Any


class PieceVocabulary:
    """Pieces of text and their ids.

    A text is normalised (`normalize_text.code_points`), every word gets a sign for the space before it, and is cut into
    the longest known pieces from its left end, as WordPiece does (Schuster & Nakajima 2012; `tokenizers.models.
    WordPiece` has the same ids). A word that cannot be cut so is one unknown piece. With all words of a text as pieces
    this is a vocabulary of words; with `unit` "character" every character is a word, and it is one of characters.

    Ids 0 to 3 are padding, unknown, start and end; piece number i has id i + 4. Encoding and decoding are TensorFlow
    core ops without lookup tables: a trie of sorted edges, followed for all characters at once.

    Args:
        pieces: distinct, not empty; "##" begins those that continue a word, "▁" stands for a space.
        lowercase: whether texts are written in lower case.
        unit: what is cut into pieces.

    Raises:
        ValueError: a piece is empty or occurs twice.
    """

    def __init__(self, pieces: Sequence[str], *, lowercase: bool = False, unit: Unit = "word") -> None:
        if len(set(pieces)) != len(pieces) or not all(piece.removeprefix(CONTINUED) for piece in pieces):
            raise ValueError("pieces must be distinct and not empty")
        if unit not in ("word", "character"):
            raise ValueError("unit must be word or character")
        self.pieces, self.lowercase, self.unit = list(pieces), lowercase, unit
        self._edges, self._children, self._ids_of_nodes, self._depth = _trie(self.pieces)
        texts = ["", "\ufffd", "", "", *(piece.removeprefix(CONTINUED) for piece in self.pieces)]
        self._texts = np.array([text.replace(chr(SIGN), " ").encode() for text in texts], object)

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.pieces) + len(SPECIAL)

    @property
    def names(self) -> list[str]:
        """What each id is called."""
        return [*SPECIAL, *self.pieces]

    def encode(self, strings: Any) -> tuple[Any, Any]:
        """Maps strings `(batch,)` to ids int32 `(batch, pieces)`, 0 after a row's end, and lengths int32 `(batch,)`."""
        found = self.cut(strings)
        return _padded(found.ids, found.rows, tf.size(strings))

    def encode_with_texts(self, strings: Any) -> tuple[Any, Any, Any]:
        """Also returns what each piece stands for in the text, strings `(batch, pieces)`."""
        found = self.cut(strings)
        ids, lengths = _padded(found.ids, found.rows, tf.size(strings))
        spans = tf.ragged.range(found.starts, found.ends)
        points = spans.with_values(tf.gather(found.points, spans.values))
        texts = tf.strings.regex_replace(tf.strings.unicode_encode(points, "UTF-8"), chr(SIGN), " ")
        rows = tf.RaggedTensor.from_value_rowids(texts, found.rows, nrows=tf.size(strings, tf.int64))
        return ids, lengths, rows.to_tensor(default_value="")

    def decode(self, ids: Any, lengths: Any, unknown: Any = None) -> Any:
        """Maps ids `(batch, pieces)` and lengths `(batch,)` to strings `(batch,)`.

        Args:
            ids: int32; padding, start and end are no text.
            lengths: int32.
            unknown: strings `(batch, pieces)` to write for unknown pieces; U+FFFD by default.
        """
        texts = tf.gather(tf.constant(self._texts.tolist()), ids)
        if unknown is not None:
            texts = tf.where(tf.equal(ids, UNKNOWN), unknown, texts)
        texts = tf.where(tf.sequence_mask(lengths, tf.shape(ids)[1]), texts, "")
        return tf.strings.regex_replace(tf.strings.reduce_join(texts, axis=1), "^ ", "")

    def cut(self, strings: Any) -> Pieces:
        """Cuts strings `(batch,)` into pieces, in graph."""
        points, rows = _marked(code_points(strings, lowercase=self.lowercase))
        first = self._word_starts(points, rows)
        words = tf.cumsum(tf.cast(first, tf.int32)) - 1
        ends = tf.gather(tf.math.segment_max(tf.range(tf.size(points)) + 1, words), words)
        lengths, ids = self._longest(points, first, ends)
        reached = _reached(tf.cast(tf.where(first)[:, 0], tf.int32), lengths, ends)
        stuck = tf.math.segment_max(tf.cast(reached & tf.equal(lengths, 0), tf.int32), words) > 0
        sizes = tf.math.segment_sum(tf.ones_like(words), words)
        unknown = tf.gather(stuck | (sizes > LONGEST_WORD), words)
        ids = tf.where(unknown, UNKNOWN, ids)
        starts = tf.cast(tf.where(tf.where(unknown, first, reached))[:, 0], tf.int32)
        own_ends = tf.where(unknown, ends, tf.range(tf.size(points)) + lengths)
        return Pieces(tf.gather(ids, starts), tf.gather(rows, starts), starts, tf.gather(own_ends, starts), points)

    def _word_starts(self, points: Any, rows: Any) -> Any:
        """Whether a word begins at each character."""
        if self.unit == "character":
            return tf.ones_like(points, tf.bool)
        isolated = tf.reduce_any(tf.equal(points[:, None], tf.constant([ord(c) for c in ISOLATED])), axis=1)
        new_row = tf.concat([[True], tf.not_equal(rows[1:], rows[:-1])], axis=0)[: tf.size(points)]
        after = tf.concat([[True], isolated[:-1]], axis=0)[: tf.size(points)]
        return isolated | after | new_row | tf.equal(points, SIGN)

    def _longest(self, points: Any, first: Any, ends: Any) -> tuple[Any, Any]:
        """Length (0 for none) and id of the longest piece from each character on, within its word."""
        edges, children, named = (tf.constant(part) for part in (self._edges, self._children, self._ids_of_nodes))
        places = tf.range(tf.size(points))
        padded = tf.concat([points, [0]], axis=0)

        def body(depth: Any, nodes: Any, lengths: Any, ids: Any) -> tuple[Any, ...]:
            here = places + depth
            point = tf.gather(padded, tf.minimum(here, tf.size(points)))
            key = tf.cast(nodes, tf.int64) * 2**_BITS + tf.cast(point, tf.int64)
            place = tf.searchsorted(edges, key)
            alive = (nodes >= 0) & (here < ends) & tf.equal(tf.gather(edges, place), key)
            nodes = tf.where(alive, tf.gather(children, place), -1)
            piece = tf.where(alive, tf.gather(named, tf.maximum(nodes, 0)), 0)
            return depth + 1, nodes, tf.where(piece > 0, depth + 1, lengths), tf.where(piece > 0, piece, ids)

        zeros = tf.zeros_like(places)
        start = (tf.constant(0), tf.where(first, 0, 1), zeros, zeros)
        _, _, lengths, ids = tf.while_loop(
            lambda depth, nodes, *_: tf.reduce_any(nodes >= 0), body, start, maximum_iterations=self._depth
        )
        return lengths, ids

    def unknown_share(self, strings: Any) -> float:
        """Share of the pieces of strings `(batch,)` that are unknown."""
        ids = self.cut(strings).ids
        return float(tf.reduce_mean(tf.cast(tf.equal(ids, UNKNOWN), tf.float32))) if int(tf.size(ids)) else 0.0

    def save(self, folder: str | Path) -> None:
        """Writes `pieces.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        content = {"pieces": self.pieces, "lowercase": self.lowercase, "unit": self.unit}
        write_json(Path(folder) / FILE_NAME, content)

    @classmethod
    def load(cls, folder: str | Path) -> PieceVocabulary:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        content = read_json(path)
        try:
            pieces, lowercase, unit = (content[name] for name in ("pieces", "lowercase", "unit"))
            if not isinstance(lowercase, bool) or not all(isinstance(piece, str) for piece in pieces):
                raise ValueError("holds values of another kind")
            return cls(pieces, lowercase=lowercase, unit=unit)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: is no vocabulary ({error}); restore the file or train again") from None


def _marked(points: tf.RaggedTensor) -> tuple[Any, Any]:
    """Flat code points with a sign for each space and before each text that is not empty, and their rows."""
    filled = tf.cast(points.row_lengths() > 0, tf.int64)
    signs = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(filled)], SPACE), filled)
    marked = tf.concat([signs, points], axis=1)
    return tf.where(tf.equal(marked.values, SPACE), SIGN, marked.values), marked.value_rowids()


def _reached(starts: Any, lengths: Any, ends: Any) -> Any:
    """Whether a piece begins at each character, when words are cut from their starts by the longest pieces."""

    def body(places: Any, reached: Any) -> tuple[Any, Any]:
        reached = tf.tensor_scatter_nd_update(reached, places[:, None], tf.ones_like(places, tf.bool))
        step = tf.gather(lengths, places)
        following = places + step
        places = tf.boolean_mask(following, (step > 0) & (following < tf.gather(ends, places)))
        return places, reached

    shapes = (tf.TensorShape([None]), tf.TensorShape([None]))
    start = (starts, tf.zeros_like(lengths, tf.bool))
    return tf.while_loop(lambda places, _: tf.size(places) > 0, body, start, shape_invariants=shapes)[1]


def _padded(ids: Any, rows: Any, count: Any) -> tuple[Any, Any]:
    ragged = tf.RaggedTensor.from_value_rowids(ids, rows, nrows=tf.cast(count, tf.int64))
    return ragged.to_tensor(default_value=PADDING), tf.cast(ragged.row_lengths(), tf.int32)


def _trie(pieces: Sequence[str]) -> tuple[Array, Array, Array, int]:
    """Sorted edges (node and character in one number), their target nodes, the id at each node or 0, and the depth.

    Node 0 is the root of pieces that begin a word, node 1 that of those that continue one.
    """
    edges: dict[int, int] = {}
    named = {0: 0, 1: 0}
    for number, piece in enumerate(pieces):
        node = 1 if piece.startswith(CONTINUED) else 0
        for character in piece.removeprefix(CONTINUED):
            node = edges.setdefault(node << _BITS | ord(character), len(named))
            named.setdefault(node, 0)
        named[node] = number + len(SPECIAL)
    keys = sorted(edges)
    depth = max((len(piece) for piece in pieces), default=0)
    return (
        np.array([*keys, np.iinfo(np.int64).max], np.int64),
        np.array([*(edges[key] for key in keys), 0], np.int32),
        np.array([named[node] for node in range(len(named))], np.int32),
        depth,
    )
