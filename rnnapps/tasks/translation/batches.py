"""Training batches of sentence pairs of similar length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from rnnapps.data.buckets import LengthBuckets
from rnnapps.data.stored.arrays import ArrayWriter, StoredArray
from rnnapps.errors import DataError
from rnnapps.preprocessing.special_pieces import END, PADDING, START
from rnnapps.tasks.translation.data.pairs import Pair
from rnnapps.tasks.translation.data.stored_pairs import StoredPairs
from rnnapps.tasks.translation.practice import practice_pairs
from rnnapps.tasks.translation.vocabularies import PairVocabularies, shared_texts
from rnnapps.types import Array, NamedTensors, Tensor

__all__ = [
    "EncodedPairs",
    "StoredEncodedPairs",
    "decoder_reads",
    "encode_pairs",
    "encode_training_pairs",
    "padded",
    "pair_batches",
]

CHUNK = 2048
FORMAT, IDS, ENDS = "ids 2", "ids.npy", "ends.npy"
BUCKETS = 8
MULTIPLE = 2

Sides: TypeAlias = tuple[list[Array], list[Array]]
"""Ids of sources, and of their targets."""


class EncodedPairs:
    """Ids of pairs, each side ended.

    Args:
        sources: ids of each source, int32 `(pieces,)`, the end last.
        targets: ids of each target, the same.
    """

    def __init__(self, sources: Sequence[Array], targets: Sequence[Array]) -> None:
        self.sources, self.targets = list(sources), list(targets)
        self.lengths = np.array([(len(s), len(t)) for s, t in zip(sources, targets, strict=True)], np.int64)

    def __len__(self) -> int:
        return len(self.sources)

    def batch(self, rows: Array, widths: Array) -> tuple[Array, Array, Array]:
        """Sources `(batch, places)`, their lengths `(batch,)` and targets `(batch, time)`, padded to the widths."""
        sources = padded([self.sources[row] for row in rows], int(widths[0]))
        targets = padded([self.targets[row] for row in rows], int(widths[1]))
        return sources, self.lengths[rows, 0].astype(np.int32), targets


class StoredEncodedPairs:
    """The same of pairs on disk, whose ids are kept there too, once for each vocabulary.

    Args:
        pairs: the pairs.
        vocabularies: what cuts them.
        seed: of `encode_training_pairs`; None where they are to be scored.
    """

    def __init__(self, pairs: StoredPairs, vocabularies: PairVocabularies, *, seed: int | None = None) -> None:
        both, copies = (vocabularies.source, vocabularies.target), vocabularies.copies
        told = [(own.pieces, own.merges, own.lowercase, own.unit) for own in both]
        copied = copies and (copies.kinds, copies.separated, copies.least_digits)
        key = pairs.key(FORMAT, *told, copied, copies and seed)
        folder = pairs.made(key, lambda folder: _write_ids(_sides(vocabularies, pairs, seed), folder))
        self._ids, ends = StoredArray(folder / IDS), StoredArray(folder / ENDS)[:]
        self._starts = np.concatenate([[0], ends]).astype(np.int64)
        self.lengths = np.diff(self._starts).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, rows: Array, widths: Array) -> tuple[Array, Array, Array]:
        """As `EncodedPairs.batch`."""
        sides = [[self._side(2 * row + side) for row in rows.tolist()] for side in (0, 1)]
        sources, targets = (padded(own, int(width)) for own, width in zip(sides, widths, strict=True))
        return sources, self.lengths[rows, 0].astype(np.int32), targets

    def _side(self, number: int) -> Array:
        """The ids of one side of a pair."""
        return self._ids[int(self._starts[number]) : int(self._starts[number + 1])]


def _write_ids(chunks: Iterable[Sides], folder: Path) -> None:
    """Writes the ids of both sides of each pair, and where each side ends."""
    with ArrayWriter(folder / IDS, np.int32) as ids, ArrayWriter(folder / ENDS, np.int64) as ends:
        for sides in chunks:
            rows = [row for pair in zip(*sides, strict=True) for row in pair]
            ends.append(ids.rows + np.cumsum([len(row) for row in rows]))
            ids.append(np.concatenate(rows))


def encode_pairs(vocabularies: PairVocabularies, pairs: Sequence[Pair]) -> EncodedPairs | StoredEncodedPairs:
    """Both sides of pairs to score, cut into pieces: the sentences as they are when they are translated."""
    return _encoded(vocabularies, pairs, None)


def encode_training_pairs(
    vocabularies: PairVocabularies, pairs: Sequence[Pair], *, seed: int
) -> EncodedPairs | StoredEncodedPairs:
    """Both sides of training pairs, cut into pieces, symbols for the spans that both hold; and pairs to practise on.

    Args:
        vocabularies: what cuts them.
        pairs: training pairs.
        seed: chooses made-up pairs, see `practice.practice_pairs`.
    """
    return _encoded(vocabularies, pairs, seed)


def _encoded(
    vocabularies: PairVocabularies, pairs: Sequence[Pair], seed: int | None
) -> EncodedPairs | StoredEncodedPairs:
    """Pairs in memory or on disk."""
    if isinstance(pairs, StoredPairs):
        return StoredEncodedPairs(pairs, vocabularies, seed=seed)
    sides: Sides = ([], [])
    for chunk in _sides(vocabularies, pairs, seed):
        for rows, more in zip(sides, chunk, strict=True):
            rows += more
    return EncodedPairs(*sides)


def _sides(vocabularies: PairVocabularies, pairs: Sequence[Pair], seed: int | None) -> Iterator[Sides]:
    """Ids of both sides in chunks, as of pairs to score, or with a seed as of training pairs."""
    copies = vocabularies.copies
    if copies is None or seed is None:
        for start in range(0, len(pairs), CHUNK):
            texts = (tf.constant(list(side)) for side in zip(*pairs[start : start + CHUNK], strict=True))
            source, target = vocabularies.read_both(*texts)
            yield _ended(source.ids, source.lengths), _ended(target.ids, target.lengths)
        return
    for own in (pairs, practice_pairs(pairs, seed=seed)):
        for sources, targets in shared_texts(copies, own):
            encoded = (
                vocabulary.encode(tf.constant(texts))
                for vocabulary, texts in ((vocabularies.source, sources), (vocabularies.target, targets))
            )
            first, second = (_ended(*ids) for ids in encoded)
            yield first, second


def _ended(ids: Tensor, lengths: Tensor) -> list[Array]:
    """Each row of ids `(batch, pieces)`, int32 `(pieces,)`, with the end behind it."""
    rows = zip(ids.numpy(), lengths.numpy(), strict=True)
    return [np.append(row[:length], np.int32(END)) for row, length in rows]


def padded(rows: Sequence[Array], width: int) -> Array:
    """Rows of ids in one array int32 `(rows, width)`."""
    filled = np.full((len(rows), width), PADDING, np.int32)
    for filled_row, row in zip(filled, rows, strict=True):
        filled_row[: len(row)] = row
    return filled


def decoder_reads(target: Tensor) -> Tensor:
    """What a decoder reads to predict targets int32 `(batch, time)`: the start, and then each but the last."""
    before = tf.concat([tf.fill([tf.shape(target)[0], 1], START), target[:, :-1]], axis=1)
    return tf.where(tf.equal(before, END), PADDING, before)


def pair_batches(
    pairs: EncodedPairs | StoredEncodedPairs,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    own_share: float = 0.0,
    steps: int = 1,
) -> tf.data.Dataset:
    """Endless training batches from step `start_step` on; a batch depends on (seed, step) only.

    Args:
        pairs: the training pairs.
        batch_size: rows of a batch.
        seed: chooses order and places.
        start_step: step of the first batch.
        own_share: share of the tokens that the decoder chooses itself at step number `steps`; it rises from 0.
        steps: updates in all.

    Returns:
        Dataset of {"inputs": {"source", "source_lengths", "target"}, "targets"}: the decoder reads "target", the start
        and then all tokens but the last, and is to write "targets"; 0 is padding. With an own share the inputs hold
        "use_own", bool of the targets' shape.

    Raises:
        DataError: there are fewer pairs than a batch has rows.
    """
    if len(pairs) < batch_size:
        problem = f"has {len(pairs):,} usable pairs, but a batch has {batch_size}"
        raise DataError("training data", problem, "use more data or lower --training.batch_size")
    buckets = LengthBuckets(pairs.lengths, batch_size=batch_size, buckets=BUCKETS, multiple=MULTIPLE, seed=seed)

    def load(rows: Tensor, widths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        kinds = (tf.int32, tf.int32, tf.int32)
        source, lengths, target = tf.numpy_function(pairs.batch, (rows, widths), kinds, stateful=False)
        for tensor, shape in ((source, (batch_size, None)), (lengths, (batch_size,)), (target, (batch_size, None))):
            tensor.set_shape(shape)
        return source, lengths, target

    def batch(step: Tensor, drawn: NamedTensors) -> dict[str, Tensor | dict[str, Tensor]]:
        source, lengths, target = load(drawn["rows"], drawn["widths"])
        inputs = {"source": source, "source_lengths": lengths, "target": decoder_reads(target)}
        if own_share:
            share = own_share * tf.minimum(1.0, tf.cast(step, tf.float32) / steps)
            drawn_numbers = tf.random.stateless_uniform(tf.shape(target), tf.stack([tf.constant(seed, tf.int64), step]))
            inputs["use_own"] = drawn_numbers < share
        return {"inputs": inputs, "targets": target}

    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(start=start_step), buckets.batches(start_step))
    return numbered.map(batch, num_parallel_calls=1).prefetch(4)
