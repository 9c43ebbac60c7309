"""Batches of examples of similar length, so that little is padded and few shapes occur: a function of (seed, step)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from rnnapps.types import Array

__all__ = ["LengthBuckets"]

MOST_CANDIDATES = 256
"""Places considered for the borders between buckets."""


class LengthBuckets:
    """Sorts examples by length into buckets and draws each batch from one of them.

    The borders, between examples of different length, are those with the least padding. Every example is drawn equally
    often: a bucket goes through all its examples in a random order, then through all again in another, and takes part
    in an epoch with as many batches as it fills. All examples of a batch are padded to the widths of their bucket, so
    that there is one shape a bucket.

    Args:
        lengths: length of each example `(examples,)`, or of each of its sides `(examples, sides)`, such as source and
            target of a pair; at least one example.
        batch_size: rows of a batch.
        buckets: the most buckets; fewer where examples do not fill them.
        multiple: widths are rounded up to a multiple of this.
        seed: chooses the order.

    Attributes:
        widths: int64 `(buckets, sides)`, the width of each side in each bucket, from the shortest to the longest.

    Raises:
        ValueError: there are no examples, or an argument is below 1.
    """

    def __init__(self, lengths: Array, *, batch_size: int, buckets: int = 6, multiple: int = 1, seed: int = 0) -> None:
        sides = np.asarray(lengths, np.int64)
        sides = sides[:, None] if sides.ndim == 1 else sides
        if not sides.size or min(batch_size, buckets, multiple) < 1:
            raise ValueError("LengthBuckets needs examples, and batch_size, buckets and multiple of at least 1")
        self.batch_size, self.seed = batch_size, seed
        order = np.argsort(sides.sum(axis=1), kind="stable")
        rounded = -(-sides[order] // multiple) * multiple
        ends = _least_padding(rounded, smallest=batch_size, most=buckets)
        starts = [0, *ends[:-1]]
        self.widths = np.stack([rounded[start:end].max(axis=0) for start, end in zip(starts, ends, strict=True)])
        self._members = [order[start:end] for start, end in zip(starts, ends, strict=True)]
        self._sizes = np.array([len(members) for members in self._members], np.int64)
        self._permuted = functools.lru_cache(maxsize=3 * len(ends))(self._permutation)
        self._of_epoch = functools.lru_cache(maxsize=2)(self._epoch)

    @property
    def steps_per_epoch(self) -> int:
        """Mean number of batches in which every example is drawn once, rounded up."""
        return int(-(-self._sizes.sum() // self.batch_size))

    def batch(self, step: int) -> tuple[Array, Array]:
        """The batch of a step.

        Args:
            step: at least 0.

        Returns:
            Numbers of the examples, int64 `(batch,)`, and the widths to pad their sides to, int64 `(sides,)`.
        """
        epoch = step * self.batch_size // int(self._sizes.sum())
        while self._steps_before(epoch + 1) <= step:
            epoch += 1
        bucket, number = self._of_epoch(epoch)[step - self._steps_before(epoch)]
        return self._drawn(bucket, number), self.widths[bucket]

    def batches(self, start_step: int) -> tf.data.Dataset:
        """Endless dataset of {"rows": int64 (batch,), "widths": int64 (sides,)}, as `batch` gives them."""

        def drawn() -> Iterator[dict[str, Array]]:
            for step in itertools.count(start_step):
                rows, widths = self.batch(step)
                yield {"rows": rows, "widths": widths}

        signature = {
            "rows": tf.TensorSpec((self.batch_size,), tf.int64),
            "widths": tf.TensorSpec((self.widths.shape[1],), tf.int64),
        }
        return tf.data.Dataset.from_generator(drawn, output_signature=signature)

    def _steps_before(self, epoch: int) -> int:
        """Number of batches of all epochs before this one: at most `epoch` times examples over rows of a batch."""
        return int((epoch * self._sizes // self.batch_size).sum())

    def _epoch(self, epoch: int) -> Array:
        """(bucket, number of the batch within the bucket) of each of an epoch's batches, in its order."""
        first, last = (each * self._sizes // self.batch_size for each in (epoch, epoch + 1))
        pairs = [(bucket, number) for bucket in range(len(first)) for number in range(first[bucket], last[bucket])]
        shuffled = np.random.default_rng((self.seed, 0, epoch)).permutation(len(pairs))
        return np.array(pairs, np.int64).reshape(-1, 2)[shuffled]

    def _drawn(self, bucket: int, number: int) -> Array:
        """The examples of a bucket's batch: a stretch of its passes, laid end to end."""
        places = np.arange(number * self.batch_size, (number + 1) * self.batch_size)
        passes, within = np.divmod(places, self._sizes[bucket])
        return np.array([self._permuted(bucket, int(each))[place] for each, place in zip(passes, within, strict=True)])

    def _permutation(self, bucket: int, number: int) -> Array:
        """The bucket's examples in the order of one pass."""
        return np.random.default_rng((self.seed, 1, bucket, number)).permutation(self._members[bucket])


def _least_padding(lengths: Array, *, smallest: int, most: int) -> list[int]:
    """Ends of the buckets of sorted examples `(examples, sides)` whose padded size is least, by dynamic programming.

    Args:
        lengths: sorted by the sum over the sides.
        smallest: examples that a bucket must hold.
        most: number of buckets.
    """
    total = len(lengths)
    borders = _candidates(lengths.sum(axis=1))
    places = np.append(0, borders)
    peaks = np.stack([_running_peaks(lengths, start, places).sum(axis=1) for start in places])
    counts = places[None] - places[:, None]
    costs = np.where((counts >= min(smallest, total)) & (counts > 0), peaks * counts, np.inf)
    best, chosen = np.full(len(places), np.inf), []
    best[0] = 0.0
    found: list[tuple[float, list[int]]] = []
    for used in range(most):
        sums = best[:, None] + costs
        chosen.append(sums.argmin(axis=0))
        best = sums.min(axis=0)
        if np.isfinite(best[-1]):
            found.append((float(best[-1]), _path(chosen, len(places) - 1, used)))
    return [int(places[place]) for place in min(found)[1]]


def _candidates(totals: Array) -> Array:
    """Where one bucket may end: between examples of different size, thinned out evenly where there are many."""
    changes = np.append(np.flatnonzero(np.diff(totals)) + 1, len(totals))
    if len(changes) <= MOST_CANDIDATES:
        return changes
    return changes[np.unique(np.linspace(0, len(changes) - 1, MOST_CANDIDATES).round().astype(np.int64))]


def _running_peaks(lengths: Array, start: int, places: Array) -> Array:
    """Greatest length of each side from `start` to each place `(places, sides)`; 0 at places not behind it."""
    running = np.maximum.accumulate(np.concatenate([np.zeros_like(lengths[:1]), lengths[start:]]), axis=0)
    peaks: Array = running[np.maximum(places - start, 0)]
    return peaks


def _path(chosen: list[Array], place: int, used: int) -> list[int]:
    """The ends that lead to `place`, from the last step back."""
    ends = []
    for step in range(used, -1, -1):
        ends.append(place)
        place = int(chosen[step][place])
    return ends[::-1]
