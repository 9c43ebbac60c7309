"""A language model over symbols as a table, for beam search in graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.metrics.ngram import KneserNey
from rnnapps.types import Array, Tensor

__all__ = ["SymbolNgram", "affordable_order"]

LARGEST_TABLE = 1 << 21
"""Entries: 8 MB in an export."""

BOUNDARY = 0


class SymbolNgram:
    """An n-gram model as the probability of every symbol after every context, which is a number.

    Args:
        table: log-probabilities, float32 `(ids ** (order - 1), ids)`; a context is its symbols as digits, the oldest
            first; id 0 stands for the beginning and the end of a transcript.
    """

    def __init__(self, table: Array) -> None:
        self.table = table

    @classmethod
    def fit(cls, transcripts: Sequence[Array], *, ids: int, order: int) -> SymbolNgram:
        """Learns from symbols of transcripts, with Kneser-Ney smoothing.

        Args:
            transcripts: int32 `(symbols,)` each.
            ids: number of ids, the blank's among them, which stands for the boundary.
            order: length of the n-grams.
        """
        boundary = np.full(max(order - 1, 1), BOUNDARY, np.int64)
        joined = np.concatenate([boundary, *(part for symbols in transcripts for part in (symbols, boundary))])
        model = KneserNey(joined, order=order, vocabulary_size=ids)
        contexts = ids ** (order - 1)
        digits = [np.arange(contexts) // ids**digit % ids for digit in reversed(range(order - 1))]
        grams = np.empty((contexts, ids, order), np.int64)
        grams[..., :-1] = np.stack(digits, axis=1)[:, None] if digits else 0
        grams[..., -1] = np.arange(ids)
        # Each gram's last symbol is scored given the gram's others, and nothing before them.
        scores = model.log_probabilities(grams.reshape(-1)).reshape(contexts, ids, order)[..., -1]
        return cls(scores.astype(np.float32))

    def initial(self, rows: Tensor | int) -> Tensor:
        """Contexts int32 `(rows,)` at the beginning of a transcript."""
        return tf.zeros(tf.reshape(rows, [1]), tf.int32)

    def log_probabilities(self, states: Tensor) -> Tensor:
        """float32 `(rows, ids)` of the next symbol."""
        return tf.gather(tf.constant(self.table), states)

    def advance(self, states: Tensor, symbols: Tensor) -> Tensor:
        """Contexts after symbols int32 `(rows,)`."""
        contexts, ids = self.table.shape
        return (states * ids + symbols) % contexts


def affordable_order(ids: int, order: int) -> int:
    """The longest n-grams, at most of the given order, whose table is not too large."""
    while order > 1 and ids**order > LARGEST_TABLE:
        order -= 1
    return order
