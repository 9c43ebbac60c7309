"""Words cut into the longest known pieces from their left end, inside the graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.preprocessing.special_pieces import PADDING, SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import Words
from rnnapps.types import Array, Tensor

__all__ = ["CONTINUED", "LongestPieces"]

CONTINUED = "##"
"""Begins a piece that continues a word."""
_BITS = 21


class LongestPieces:
    """Cuts words as WordPiece does (Schuster & Nakajima 2012; `tokenizers.models.WordPiece` has the same ids).

    A word that cannot be cut into known pieces is one unknown piece. There is no lookup table, but a trie of sorted
    edges that is followed for all characters at once.

    Args:
        pieces: distinct; "##" begins those that continue a word.

    Raises:
        ValueError: nothing follows "##".
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.texts = [piece.removeprefix(CONTINUED) for piece in pieces]
        """What each piece stands for."""
        if not all(self.texts):
            raise ValueError("pieces must not be empty")
        self._edges, self._children, self._ids_of_nodes = _trie(pieces)
        self._depth = max(map(len, self.texts), default=0)

    def ids(self, words: Words) -> Tensor:
        """The piece that begins at each character, int32 `(characters,)`; 0 where none begins."""
        places = tf.range(tf.size(words.points))
        ends = tf.gather(tf.math.segment_max(places + 1, words.words), words.words)
        lengths, ids = self._longest(words, ends)
        reached = _reached(tf.cast(tf.where(words.first)[:, 0], tf.int32), lengths, ends)
        stuck = tf.math.segment_max(tf.cast(reached & tf.equal(lengths, 0), tf.int32), words.words) > 0
        unknown = tf.gather(stuck, words.words)
        return tf.where(unknown, tf.where(words.first, UNKNOWN, PADDING), tf.where(reached, ids, PADDING))

    def _longest(self, words: Words, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Length (0 for none) and id of the longest piece from each character on, within its word."""
        edges, children, named = (tf.constant(part) for part in (self._edges, self._children, self._ids_of_nodes))
        places = tf.range(tf.size(words.points))
        padded = tf.concat([words.points, [0]], axis=0)

        # One character deeper into the trie for all starts at once; nodes `(characters,)`, -1 where the walk has ended.
        def body(depth: Tensor, nodes: Tensor, lengths: Tensor, ids: Tensor) -> tuple[Tensor, ...]:
            here = places + depth
            point = tf.gather(padded, tf.minimum(here, tf.size(places)))
            key = tf.cast(nodes, tf.int64) * 2**_BITS + tf.cast(point, tf.int64)
            edge = tf.searchsorted(edges, key)
            alive = (nodes >= 0) & (here < ends) & tf.equal(tf.gather(edges, edge), key)
            nodes = tf.where(alive, tf.gather(children, edge), -1)
            piece = tf.where(alive, tf.gather(named, tf.maximum(nodes, 0)), 0)
            return depth + 1, nodes, tf.where(piece > 0, depth + 1, lengths), tf.where(piece > 0, piece, ids)

        zeros = tf.zeros_like(places)
        start = (tf.constant(0), tf.where(words.first, 0, 1), zeros, zeros)
        _, _, lengths, ids = tf.while_loop(
            lambda depth, nodes, *_: tf.reduce_any(nodes >= 0), body, start, maximum_iterations=self._depth
        )
        return lengths, ids


def _reached(starts: Tensor, lengths: Tensor, ends: Tensor) -> Tensor:
    """Whether a piece begins at each character, when words are cut from their starts by the longest pieces."""

    def body(places: Tensor, reached: Tensor) -> tuple[Tensor, Tensor]:
        reached = tf.tensor_scatter_nd_update(reached, places[:, None], tf.ones_like(places, tf.bool))
        step = tf.gather(lengths, places)
        following = places + step
        places = tf.boolean_mask(following, (step > 0) & (following < tf.gather(ends, places)))
        return places, reached

    shapes = (tf.TensorShape([None]), tf.TensorShape([None]))
    start = (starts, tf.zeros_like(lengths, tf.bool))
    return tf.while_loop(lambda places, _: tf.size(places) > 0, body, start, shape_invariants=shapes)[1]


def _trie(pieces: Sequence[str]) -> tuple[Array, Array, Array]:
    """Sorted edges (node and character in one number), their target nodes, and the id at each node or 0.

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
    return (
        np.array([*keys, np.iinfo(np.int64).max], np.int64),
        np.array([*(edges[key] for key in keys), 0], np.int32),
        np.array([named[node] for node in range(len(named))], np.int32),
    )
