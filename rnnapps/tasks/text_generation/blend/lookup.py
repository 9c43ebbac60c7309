"""A table of n-grams in a graph: which contexts end at a place, and what may follow them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from rnnapps.tasks.text_generation.blend.grams import ROOT, GramTable
from rnnapps.types import Tensor

__all__ = ["Followers", "GramLookup"]


class Followers(NamedTuple):
    """What followed contexts in the text that was counted; those of all contexts lie one behind the other.

    Attributes:
        counts: how often each followed its context, less the discount, float32 `(followers,)`.
        symbols: which one it is, int32 `(followers,)`.
        owners: number of its context among those that were asked for, int32 `(followers,)`.
        kinds: number of followers of each context, float32 `(rows, contexts)`.
        totals: how often anything followed it, at least 1.
        kept: what the discounts leave of the shares of all that followed it.
        spared: what they take, which may be too little for a difference from 1 to tell.
    """

    counts: Tensor
    symbols: Tensor
    owners: Tensor
    kinds: Tensor
    totals: Tensor
    kept: Tensor
    spared: Tensor


class GramLookup(tf.Module):
    """A `GramTable` as variables, which an export saves once for all its signatures.

    They are read before anything is gathered from them: gathering from a variable itself is an operation of its own,
    which is not among those of our exports.

    Contexts are entries of the table: the n-grams of 1 symbol to `lengths` symbols that end at a place, `ROOT` where
    the table has none. They are all that must be known of what was read before.

    Args:
        table: the n-grams.
    """

    def __init__(self, table: GramTable) -> None:
        super().__init__(name="ngrams")
        self.vocabulary_size, self.entries, self.lengths = table.vocabulary_size, table.entries, table.order - 1
        self.keys = tf.Variable(table.keys, trainable=False, name="keys")
        self.counts = tf.Variable(table.counts, trainable=False, name="counts")
        self.discounts = table.discounts[2:]

    def read(self, contexts: Tensor, symbols: Tensor) -> Tensor:
        """The contexts after each of several symbols.

        Args:
            contexts: before the first, int32 `(batch, lengths)`.
            symbols: int32 `(batch, time)`.

        Returns:
            int32 `(batch, time, lengths)`.
        """
        if symbols.shape[1] == 1:
            return self.advance(contexts, symbols[:, 0])[:, None]
        found = [self._child(tf.zeros_like(symbols), symbols, tf.ones_like(symbols, tf.bool))]
        for length in range(1, self.lengths):
            before = tf.concat([contexts[:, length - 1, None], found[-1][:, :-1]], axis=1)
            found.append(self._child(before, symbols, before != ROOT))
        return tf.stack(found, axis=-1)

    def advance(self, contexts: Tensor, symbols: Tensor) -> Tensor:
        """The same after one symbol int32 `(rows,)`; contexts int32 `(rows, lengths)`, all looked up at once."""
        before = tf.pad(contexts[:, :-1], [[0, 0], [1, 0]], constant_values=ROOT)
        known = before > tf.constant([ROOT - 1] + [ROOT] * (self.lengths - 1))  # all symbols follow the empty n-gram
        return self._child(before, symbols[:, None], known)

    def followers(self, contexts: Tensor) -> Followers:
        """What may follow contexts int32 `(rows, lengths)`: nothing follows one that is not in the table."""
        asked = tf.reshape(contexts, [-1])
        behind = asked + tf.minimum(asked, 1)  # the entry behind; of the root itself, so that nothing lies between
        begin, end = tf.split(self._find(self._keys_of(tf.concat([asked, behind], axis=0), 0)), 2)
        ranges = tf.ragged.range(begin, end, row_splits_dtype=tf.int32)
        places = ranges.values
        owners = _bisect(tf.raw_ops.UpperBound, ranges.row_splits, tf.range(tf.size(places))) - 1
        counts = tf.cast(tf.gather(tf.convert_to_tensor(self.counts), places), tf.float32)
        symbols = tf.cast(tf.gather(tf.convert_to_tensor(self.keys), places) % self.vocabulary_size, tf.int32)
        kinds = self._by_rows(tf.cast(end - begin, tf.float32))
        sums = self._by_rows(tf.math.unsorted_segment_sum(counts, owners, tf.size(asked)))
        totals, taken = tf.maximum(sums, 1), self.discounts * kinds
        rest = counts - tf.gather(tf.constant(self.discounts), owners % self.lengths)
        return Followers(rest, symbols, owners, kinds, totals, (sums - taken) / totals, taken / totals)

    def _child(self, contexts: Tensor, symbols: Tensor, known: Tensor) -> Tensor:
        """The contexts with one symbol more, where they are known themselves."""
        wanted = self._keys_of(contexts, symbols)
        places = tf.reshape(tf.minimum(self._find(tf.reshape(wanted, [-1])), self.entries - 1), tf.shape(wanted))
        return tf.where(known & tf.equal(tf.gather(tf.convert_to_tensor(self.keys), places), wanted), places, ROOT)

    def _keys_of(self, contexts: Tensor, symbols: Tensor) -> Tensor:
        """The keys of n-grams by their contexts and last symbols."""
        kind = self.keys.dtype
        return tf.cast(contexts, kind) * self.vocabulary_size + tf.cast(symbols, kind)

    def _by_rows(self, values: Tensor) -> Tensor:
        """`(rows * lengths,)` -> `(rows, lengths)`."""
        return tf.reshape(values, [-1, self.lengths])

    def _find(self, keys: Tensor) -> Tensor:
        """How many keys of the table are below each of these `(keys,)`."""
        return _bisect(tf.raw_ops.LowerBound, tf.convert_to_tensor(self.keys), keys)


def _bisect(bound: Callable[..., Tensor], ascending: Tensor, values: Tensor) -> Tensor:
    """Places of values `(values,)` among ascending ones; `tf.searchsorted` cannot do without any value."""
    found = bound(sorted_inputs=tf.expand_dims(ascending, 0), values=values[tf.newaxis], out_type=tf.int32)
    return found[0]
