"""The prefixes of transcripts that a beam search for CTC pursues, as tensors of a loop in graph."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.tasks.speech_recognition.decoding.symbol_model import Memory, SymbolModel
from rnnapps.types import Tensor

__all__ = [
    "IMPOSSIBLE",
    "Prefixes",
    "best_first",
    "first_prefixes",
    "kept_behind_ends",
    "last_symbols",
    "log_sum",
    "rows_like",
]

IMPOSSIBLE = -1e30


class Prefixes(NamedTuple):
    """The prefixes in the beam of each row, `(batch, beam, ...)`.

    Attributes:
        blank: log-probability of all alignments that end in a blank.
        symbol: of those that end in the last symbol.
        language: log-probability by the language model, weighted, with bonuses.
        prefixes: the symbols, int32 `(batch, beam, outputs)`.
        counts: their number, int32.
        hashes: of the prefixes, int64: equal for equal prefixes, and as good as never for others.
        parents: hashes of the prefixes without their last symbol, int64; of the empty one none that occurs.
        states: of the language model, `(batch * beam, ...)`.
    """

    blank: Tensor
    symbol: Tensor
    language: Tensor
    prefixes: Tensor
    counts: Tensor
    hashes: Tensor
    parents: Tensor
    states: Memory


def first_prefixes(rows: Tensor, outputs: Tensor, width: int, model: SymbolModel | None) -> Prefixes:
    """One empty prefix a row, and places for `width` of up to `outputs` symbols."""
    number = tf.range(width)[None] + tf.zeros([rows, 1], tf.int32)
    nothing = tf.fill([rows, width], IMPOSSIBLE)
    return Prefixes(
        blank=tf.where(tf.equal(number, 0), 0.0, IMPOSSIBLE),
        symbol=nothing,
        language=tf.zeros([rows, width]),
        prefixes=tf.zeros(tf.stack([rows, width, outputs]), tf.int32),
        counts=tf.zeros([rows, width], tf.int32),
        hashes=tf.cast(number, tf.int64) + 1,  # unused places must not look like the empty prefix
        parents=-tf.cast(number, tf.int64) - 1,
        states=tf.zeros([rows * width], tf.int32) if model is None else model.initial(rows * width),
    )


def last_symbols(beam: Prefixes) -> Tensor:
    """Last symbol of each prefix `(batch, beam)`, 0 of the empty one."""
    last = tf.gather(beam.prefixes, tf.maximum(beam.counts - 1, 0), batch_dims=2)
    return tf.where(beam.counts > 0, last, 0)


def kept_behind_ends(inside: Tensor, after: Prefixes, now: Prefixes) -> Prefixes:
    """`after` in the rows that are inside, `now` in those that have ended: padding must not change what was heard."""
    width = now.blank.shape[1]
    of_states = tf.repeat(inside, width)
    chosen = {
        name: tf.where(rows_like(inside, old), new, old)
        for name, new, old in zip(now._fields, after, now, strict=True)
        if name != "states"
    }
    states = tf.nest.map_structure(
        lambda new, old: tf.where(rows_like(of_states, old), new, old), after.states, now.states
    )
    return Prefixes(**chosen, states=states)


def best_first(beam: Prefixes) -> tuple[Tensor, Tensor, Tensor]:
    """Prefixes `(batch, beam, most symbols)`, their numbers of symbols and scores `(batch, beam)`, best first."""
    scores = log_sum(beam.blank, beam.symbol) + beam.language
    order = tf.argsort(scores, axis=1, direction="DESCENDING", stable=True)
    counts = tf.gather(beam.counts, order, batch_dims=1)
    prefixes = tf.gather(beam.prefixes, order, batch_dims=1)
    most = tf.reduce_max(tf.concat([tf.reshape(counts, [-1]), [0]], axis=0))
    return prefixes[:, :, :most], counts, tf.gather(scores, order, batch_dims=1)


def log_sum(left: Tensor, right: Tensor) -> Tensor:
    """The logarithm of exp(left) + exp(right), as high + log(1 + exp(low - high)): no exponential overflows."""
    high, low = tf.maximum(left, right), tf.minimum(left, right)
    return high + tf.math.log1p(tf.exp(low - high))


def rows_like(rows: Tensor, values: Tensor) -> Tensor:
    """`(rows,)` with as many more dimensions of size 1 as `values` has."""
    return tf.reshape(rows, [-1, *(1 for _ in range(values.shape.rank - 1))])
