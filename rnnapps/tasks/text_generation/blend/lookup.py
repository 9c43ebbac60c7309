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
        shares: of the counts of all that followed the context, each one's, less the discount, float32 `(followers,)`.
        symbols: which one it is, int32 `(followers,)`.
        owners: number of its context among those that were asked for, int32 `(followers,)`.
        kinds: number of followers of each context, float32 `(rows, contexts)`.
        totals: sum of their counts.
        kept: sum of their shares.
        spared: what is left of 1, which may be too little for a difference of floats to tell.
    """

    shares: Tensor
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
        found = [self._child(tf.zeros_like(symbols), symbols)]
        for length in range(1, self.lengths):
            before = tf.concat([contexts[:, length - 1, None], found[-1][:, :-1]], axis=1)
            found.append(self._child(tf.where(before == ROOT, -1, before), symbols))
        return tf.stack(found, axis=-1)

    def advance(self, contexts: Tensor, symbols: Tensor) -> Tensor:
        """The same after one symbol int32 `(rows,)`; contexts int32 `(rows, lengths)`, all looked up at once."""
        shorter = contexts[:, :-1]
        before = tf.pad(tf.where(shorter == ROOT, -1, shorter), [[0, 0], [1, 0]], constant_values=ROOT)
        return self._child(before, tf.broadcast_to(symbols[:, None], tf.shape(before)))

    def followers(self, contexts: Tensor) -> Followers:
        """What may follow contexts int32 `(rows, lengths)`: nothing follows one that is not in the table."""
        asked = tf.reshape(contexts, [-1])
        begin = self._find(asked * self.vocabulary_size)
        end = tf.where(asked == ROOT, begin, self._find((asked + 1) * self.vocabulary_size))
        ranges = tf.ragged.range(begin, end, row_splits_dtype=tf.int32)
        places = ranges.values
        owners = _bisect(tf.raw_ops.UpperBound, ranges.row_splits, tf.range(tf.size(places))) - 1
        counts = tf.cast(tf.gather(tf.convert_to_tensor(self.counts), places), tf.float32)
        kinds = tf.reshape(tf.cast(end - begin, tf.float32), tf.shape(contexts))
        totals = tf.reshape(tf.math.unsorted_segment_sum(counts, owners, tf.size(asked)), tf.shape(contexts))
        divisors = tf.maximum(totals, 1)
        discount = tf.gather(tf.constant(self.discounts), owners % self.lengths)
        shares = (counts - discount) / tf.gather(tf.reshape(divisors, [-1]), owners)
        spared = self.discounts * kinds / divisors
        kept = (totals - self.discounts * kinds) / divisors
        symbols = tf.gather(tf.convert_to_tensor(self.keys), places) % self.vocabulary_size
        return Followers(shares, symbols, owners, kinds, totals, kept, spared)

    def _child(self, contexts: Tensor, symbols: Tensor) -> Tensor:
        """The contexts with one symbol more; -1 is a context that is not in the table."""
        wanted = contexts * self.vocabulary_size + symbols
        places = tf.minimum(self._find(wanted), self.entries - 1)
        known = (contexts >= 0) & tf.equal(tf.gather(tf.convert_to_tensor(self.keys), places), wanted)
        return tf.where(known, places, ROOT)

    def _find(self, keys: Tensor) -> Tensor:
        """How many keys of the table are below each of these."""
        return tf.reshape(
            _bisect(tf.raw_ops.LowerBound, tf.convert_to_tensor(self.keys), tf.reshape(keys, [-1])), tf.shape(keys)
        )


def _bisect(bound: Callable[..., Tensor], ascending: Tensor, values: Tensor) -> Tensor:
    """Places of values `(values,)` among ascending ones; `tf.searchsorted` cannot do without any value."""
    found = bound(sorted_inputs=tf.expand_dims(ascending, 0), values=values[tf.newaxis], out_type=tf.int32)
    return found[0]
