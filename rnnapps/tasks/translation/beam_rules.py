"""What a beam search must not write: what it wrote before, and copies of what is not there or was copied already."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["DIGITS", "IMPOSSIBLE", "NO_RULES", "WORD", "Copying", "Repeats", "Rules"]

OWED_NATS = 10.0
"""What a sequence loses in its score for each symbol that it lacks at its end."""
IMPOSSIBLE = -1e30
"""Log probability of what must not occur; far enough from the end of float32 that sums stay finite."""
DIGITS, WORD = 1, 2
NOTHING = -1


class Repeats(NamedTuple):
    """No sequence of so many ids is written twice, but for numbers.

    Attributes:
        length: of the sequences, at least 2.
        kinds: int32 `(ids,)`: `WORD` for ids that have letters, or may have, `DIGITS` for those with digits, 0 for
            other marks. A sequence with digits and without a word may be written again.
    """

    length: int
    kinds: Tensor

    def forbidden(self, ids: Tensor, now: Tensor) -> Tensor:
        """What must not follow sequences `(batch, beams, width)` of which `now` ids are written; bool, of all ids.

        It is what stood behind each place where the last ids, one fewer than the length, stood before.
        """
        width, before = tf.shape(ids)[2], self.length - 1
        places = tf.range(width)[:, None] + tf.range(before)
        padded = tf.pad(ids, [[0, 0], [0, 0], [before, 0]], constant_values=NOTHING)
        windows = tf.gather(padded, places, axis=2)  # (batch, beams, width, length - 1): what stands before each place
        again = tf.reduce_all(tf.equal(windows, tf.gather(windows, now, axis=2)[:, :, None]), axis=-1)
        kinds = tf.gather(self.kinds, tf.maximum(tf.concat([windows, ids[..., None]], axis=-1), 0))
        number = tf.reduce_all(kinds < WORD, axis=-1) & tf.reduce_any(kinds > 0, axis=-1)
        return _marked(tf.where(again & ~number & (tf.range(width) < now), ids, NOTHING), tf.size(self.kinds))


class Copying(NamedTuple):
    """Symbols that are written once each.

    Attributes:
        first: id of the first symbol; those of the others follow.
        wanted: bool `(batch, symbols)`: those that are there.
    """

    first: int
    wanted: Tensor

    def forbidden(self, ids: Tensor, count: Tensor) -> Tensor:
        """Of all `count` ids the symbols that are not there, or are written in `(batch, beams, width)`; bool."""
        barred = ~self.wanted[:, None] | self._written(ids)
        return tf.pad(barred, [[0, 0], [0, 0], [self.first, count - self.first - barred.shape[-1]]])

    def missing(self, ids: Tensor) -> Tensor:
        """Which symbols sequences `(batch, beams, width)` lack, bool `(batch, beams, symbols)`."""
        return self.wanted[:, None] & ~self._written(ids)

    def _written(self, ids: Tensor) -> Tensor:
        """Which symbols occur in sequences, bool `(batch, beams, symbols)`."""
        places = self.first + tf.range(self.wanted.shape[-1])
        return tf.reduce_any(tf.equal(ids[..., None], places), axis=2)


class Rules(NamedTuple):
    """What holds of every sequence of a search; None where it does not.

    Attributes:
        repeats: what may be written again.
        copying: what is written once.
    """

    repeats: Repeats | None = None
    copying: Copying | None = None

    def applied(self, sums: Tensor, ids: Tensor, now: Tensor) -> Tensor:
        """Sums `(batch, beams, ids)` of log probabilities, impossible for what must not follow the ids."""
        if self.repeats is not None:
            sums = tf.where(self.repeats.forbidden(ids, now), IMPOSSIBLE, sums)
        if self.copying is not None:
            sums = tf.where(self.copying.forbidden(ids, tf.shape(sums)[2]), IMPOSSIBLE, sums)
        return sums

    def owed(self, ids: Tensor) -> Tensor:
        """What sequences `(batch, beams, width)` lose in their scores for what they lack, nats `(batch, beams)`."""
        if self.copying is None:
            return tf.zeros(tf.shape(ids)[:2])
        return OWED_NATS * tf.reduce_sum(tf.cast(self.copying.missing(ids), tf.float32), axis=-1)


NO_RULES = Rules()


def _marked(ids: Tensor, count: Tensor) -> Tensor:
    """Which of `count` ids occur in each of `(batch, beams, width)`, -1 for none; bool `(batch, beams, count)`."""
    batch, beams, width = tf.unstack(tf.shape(ids))
    rows = tf.repeat(tf.range(batch * beams), width) * (count + 1)
    places = rows + tf.reshape(tf.where(ids < 0, count, ids), [-1])
    found = tf.math.unsorted_segment_max(tf.ones_like(places), places, batch * beams * (count + 1))
    return tf.reshape(found, [batch, beams, count + 1])[:, :, :-1] > 0
