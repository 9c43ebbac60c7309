"""Words cut by byte-pair encoding, inside the graph: characters, merged pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.preprocessing.special_pieces import PADDING, SPECIAL, UNKNOWN
from rnnapps.preprocessing.split_words import Words
from rnnapps.types import Tensor

__all__ = ["Merge", "MergedPieces"]

Merge = tuple[str, str]

_BITS = 32
_NONE = np.iinfo(np.int64).max


class MergedPieces:
    """Cuts words as byte-pair encoding does (Sennrich et al. 2016, arXiv:1508.07909, section 3.2).

    A word begins as its characters; then, again and again, the pair of neighbours that was learned first is replaced
    by the piece it makes, the leftmost of several, until no pair of neighbours is known. Neighbouring unknown
    characters of a word are one unknown piece. `tokenizers.models.BPE` with `fuse_unk` has the same ids.

    There is no lookup table, but sorted pairs that are searched; one step merges one pair of every word of a batch.

    Args:
        pieces: distinct; those of several characters are made by merges.
        merges: pairs of pieces that make a piece, in the order in which they were learned.

    Raises:
        ValueError: a merge occurs twice, or it or what it makes is not among the pieces, or nothing makes a piece.
    """

    def __init__(self, pieces: Sequence[str], merges: Sequence[Merge]) -> None:
        self.texts = list(pieces)
        """What each piece stands for."""
        _check(pieces, merges)
        numbers = {piece: number for number, piece in enumerate(pieces, start=len(SPECIAL))}
        characters = {ord(piece): number for piece, number in numbers.items() if len(piece) == 1}
        self._characters = np.array([*sorted(characters), 0x110000], np.int32)
        self._ids_of_characters = np.array([*(characters[c] for c in sorted(characters)), UNKNOWN], np.int32)
        keys = np.array([numbers[left] << _BITS | numbers[right] for left, right in merges], np.int64)
        order = np.argsort(keys)
        self._pairs = np.append(keys[order], _NONE)
        self._ranks = np.append(order, 0)
        self._made = np.array([*(numbers[left + right] for left, right in merges), 0], np.int32)

    def ids(self, words: Words) -> Tensor:
        """The piece that begins at each character, int32 `(characters,)`; 0 where none begins."""
        index = tf.searchsorted(self._characters, words.points)
        known = tf.equal(tf.gather(self._characters, index), words.points)
        unknown = tf.concat([[False], ~known], axis=0)
        goes_on = unknown[1:] & unknown[:-1] & ~words.first
        ids = tf.where(goes_on, PADDING, tf.where(known, tf.gather(self._ids_of_characters, index), UNKNOWN))
        return self._merged(ids, words.words)

    def _merged(self, ids: Tensor, words: Tensor) -> Tensor:
        """Merges what can be merged: ids `(characters,)` as in `ids`, the word of each character.

        One pair of a word at a time: a piece that two merges make may begin a pair that was learned before the second,
        so that merging all places of a pair at once would not always end the same. Words without a pair leave the loop.
        """

        # places: where the pieces of all unfinished words begin, `(pieces,)`.
        def body(places: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
            owners = tf.gather(words, places)
            order = self._order(tf.gather(ids, places), owners)
            first = tf.gather(tf.math.segment_min(order, owners), owners)
            busy = first < _NONE
            left = busy & tf.equal(order, first)
            right = tf.concat([[False], left[:-1]], axis=0)
            made = tf.gather(self._made, tf.boolean_mask(first, left) // 2**_BITS)
            changed = tf.concat([tf.boolean_mask(places, left), tf.boolean_mask(places, right)], axis=0)
            values = tf.concat([made, tf.zeros_like(made)], axis=0)
            ids = tf.tensor_scatter_nd_update(ids, changed[:, None], values)
            return tf.boolean_mask(places, busy & ~right), ids

        start = (tf.cast(tf.where(ids > 0)[:, 0], tf.int32), ids)
        shapes = (tf.TensorShape([None]), tf.TensorShape([None]))
        return tf.while_loop(lambda places, _: tf.size(places) > 0, body, start, shape_invariants=shapes)[1]

    def _order(self, pieces: Tensor, owners: Tensor) -> Tensor:
        """Rank and place of the pair each piece begins, in one number; the largest number where it begins none."""
        wide = tf.cast(pieces, tf.int64)
        pairs = tf.where(tf.equal(owners[:-1], owners[1:]), wide[:-1] * 2**_BITS + wide[1:], -1)
        key = tf.concat([pairs, [-1]], axis=0)
        index = tf.searchsorted(self._pairs, key)
        rank = tf.gather(self._ranks, index)
        here = tf.range(tf.size(key, tf.int64), dtype=tf.int64)
        return tf.where(tf.equal(tf.gather(self._pairs, index), key), rank * 2**_BITS + here, _NONE)


def _check(pieces: Sequence[str], merges: Sequence[Merge]) -> None:
    """Raises ValueError unless merges are distinct and make all pieces of several characters from pieces."""
    known, made = set(pieces), {left + right for left, right in merges}
    if len(set(merges)) != len(merges):
        raise ValueError("merges must be distinct")
    for merge in merges:
        if strange := [part for part in (*merge, "".join(merge)) if part not in known]:
            raise ValueError(f"a merge names {strange[0]!r}, which is no piece")
    if unmade := [piece for piece in pieces if len(piece) > 1 and piece not in made]:
        raise ValueError(f"no merge makes the piece {unmade[0]!r}")
