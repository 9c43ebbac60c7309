"""The likeliest symbols of a network trained with CTC, moment by moment."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.types import Array, Tensor

__all__ = ["compact", "greedy_symbols", "required_outputs"]


def greedy_symbols(logits: Tensor, lengths: Tensor, previous: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Takes the likeliest id of each output, merges repetitions and drops blanks (Graves et al. 2006, eq. 10).

    Args:
        logits: `(batch, outputs, ids)`; id 0 is the blank.
        lengths: int32 `(batch,)`, outputs of each row.
        previous: int32 `(batch,)`, likeliest id of the output before the first, for streams; blank by default.

    Returns:
        Symbols int32 `(batch, most symbols)`, 0 behind a row's end; their number int32 `(batch,)`; and the likeliest
        id of each row's last output (`previous` where it has none), int32 `(batch,)`.
    """
    best = tf.argmax(logits, axis=-1, output_type=tf.int32)
    first = tf.zeros_like(best[:, 0]) if previous is None else previous
    with_first = tf.concat([first[:, None], best], axis=1)
    inside = tf.sequence_mask(lengths, tf.shape(best)[1])
    symbols, counts = compact(best, inside & tf.not_equal(best, 0) & tf.not_equal(best, with_first[:, :-1]))
    return symbols, counts, tf.gather(with_first, lengths, batch_dims=1)


def compact(values: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Moves the values that are kept to the left.

    Args:
        values: int32 `(batch, time)`.
        kept: bool `(batch, time)`.

    Returns:
        int32 `(batch, most kept)`, 0 behind a row's end, and how many each row keeps, int32 `(batch,)`.
    """
    rows = tf.shape(values)[0]
    counts = tf.reduce_sum(tf.cast(kept, tf.int32), axis=1)
    places = tf.cumsum(tf.cast(kept, tf.int32), axis=1) - 1
    width = tf.reduce_max(tf.concat([counts, [0]], axis=0))
    where = tf.where(kept)
    targets = tf.stack([tf.cast(where[:, 0], tf.int32), tf.boolean_mask(places, kept)], axis=1)
    return tf.scatter_nd(targets, tf.boolean_mask(values, kept), tf.stack([rows, width])), counts


def required_outputs(symbols: Array) -> int:
    """Fewest outputs that can stand for symbols `(symbols,)`: one each, and a blank between equal neighbours."""
    return len(symbols) + int((symbols[1:] == symbols[:-1]).sum())
