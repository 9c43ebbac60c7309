"""Prefix beam search for CTC, in graph, with an optional language model over symbols."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

__all__ = ["SymbolModel", "beam_search"]

IMPOSSIBLE = -1e30
MULTIPLIER = 6364136223846793005
"""Of a rolling 64-bit hash of prefixes (Knuth's of MMIX)."""


class SymbolModel(Protocol):
    """A language model over symbols, with an integer or vector for its memory of what was written."""

    def initial(self, rows: Any) -> Any:
        """States before the first symbol, `(rows, ...)`."""

    def log_probabilities(self, states: Any) -> Any:
        """float32 `(rows, ids)` of the next symbol; the column of the blank is ignored."""

    def advance(self, states: Any, symbols: Any) -> Any:
        """States after symbols int32 `(rows,)`."""


class _Beam(NamedTuple):
    """The prefixes of each row, `(batch, beam, ...)`.

    Attributes:
        blank: log-probability of all alignments that end in a blank.
        symbol: of those that end in the last symbol.
        language: log-probability by the language model, weighted, with bonuses.
        prefixes: the symbols, int32 `(batch, beam, outputs)`.
        counts: their number, int32.
        hashes: of the prefixes, int64.
        parents: of the prefixes without their last symbol, int64.
        states: of the language model, `(batch * beam, ...)`.
    """

    blank: Any
    symbol: Any
    language: Any
    prefixes: Any
    counts: Any
    hashes: Any
    parents: Any
    states: Any


def beam_search(
    log_probabilities: Any,
    lengths: Any,
    *,
    width: int,
    language_model: SymbolModel | None = None,
    weight: Any = 0.0,
    bonus: Any = 0.0,
) -> tuple[Any, Any, Any]:
    """Transcripts y with the greatest log p(y | sound) + weight * log p(y) + bonus * |y| that the beam meets.

    The probability of a prefix sums over all alignments that the beam has kept (Hannun et al. 2014, arXiv:1408.2873,
    algorithm 1); with a beam as wide as there are prefixes it is exact.

    Args:
        log_probabilities: float32 `(batch, outputs, ids)`; id 0 is the blank.
        lengths: int32 `(batch,)`, outputs of each row.
        width: prefixes kept for each row.
        language_model: none by default.
        weight: of the language model.
        bonus: of every symbol.

    Returns:
        Symbols int32 `(batch, width, most symbols)`, best first, 0 behind the end; their number int32 `(batch, width)`;
        and the scores float32 `(batch, width)`, -1e30 or less where there are fewer transcripts than `width`.
    """
    rows, outputs = tf.shape(log_probabilities)[0], tf.shape(log_probabilities)[1]
    beam = _first(rows, outputs, width, language_model)

    def step(time: Any, beam: _Beam) -> Any:
        new = _extended(beam, log_probabilities[:, time], time, language_model, weight, bonus)
        inside = time < lengths
        return time + 1, tf.nest.map_structure(lambda after, now: _where_row(inside, after, now, width), new, beam)

    _, beam = tf.while_loop(
        lambda time, _: time < outputs,
        step,
        [tf.constant(0), beam],
        shape_invariants=[tf.TensorShape([]), tf.nest.map_structure(_invariant, beam)],
    )
    scores = _sum(beam.blank, beam.symbol) + beam.language
    order = tf.argsort(scores, axis=1, direction="DESCENDING", stable=True)
    counts = tf.gather(beam.counts, order, batch_dims=1)
    prefixes = tf.gather(beam.prefixes, order, batch_dims=1)
    most = tf.reduce_max(tf.concat([tf.reshape(counts, [-1]), [0]], axis=0))
    return prefixes[:, :, :most], counts, tf.gather(scores, order, batch_dims=1)


def _first(rows: Any, outputs: Any, width: int, model: SymbolModel | None) -> _Beam:
    """One empty prefix a row, and places for more."""
    number = tf.range(width)[None] + tf.zeros([rows, 1], tf.int32)
    nothing = tf.fill([rows, width], IMPOSSIBLE)
    return _Beam(
        blank=tf.where(tf.equal(number, 0), 0.0, IMPOSSIBLE),
        symbol=nothing,
        language=tf.zeros([rows, width]),
        prefixes=tf.zeros(tf.stack([rows, width, outputs]), tf.int32),
        counts=tf.zeros([rows, width], tf.int32),
        hashes=tf.cast(number, tf.int64) + 1,  # unused places must not look like the empty prefix
        parents=-tf.cast(number, tf.int64) - 1,
        states=tf.zeros([rows * width], tf.int32) if model is None else model.initial(rows * width),
    )


def _extended(beam: _Beam, emitted: Any, time: Any, model: SymbolModel | None, weight: Any, bonus: Any) -> _Beam:
    """The best prefixes after one more output, whose log-probabilities are `emitted` `(batch, ids)`."""
    width, ids = beam.blank.shape[1], emitted.shape[1]
    rows = tf.shape(emitted)[0]
    total = _sum(beam.blank, beam.symbol)
    last = _last(beam.prefixes, beam.counts)
    rises = _rises(beam, model, ids, weight, bonus)  # (batch, beam, ids)

    # A prefix stays: by a blank, or by its last symbol again.
    stays_blank = total + emitted[:, :1]
    stays_symbol = tf.where(beam.counts > 0, beam.symbol + tf.gather(emitted, last, batch_dims=1), IMPOSSIBLE)

    # It grows: by any symbol after all alignments, by its last symbol only after those that end in a blank.
    one_hot = tf.one_hot(last, ids, on_value=True, off_value=False)
    before = tf.where(one_hot & (beam.counts > 0)[..., None], beam.blank[..., None], total[..., None])
    grows = before + emitted[:, None]
    grows = tf.where(tf.equal(tf.range(ids), 0)[None, None], IMPOSSIBLE, grows)

    # Where a grown prefix is in the beam already, its alignments are those of the one that stays.
    child = tf.equal(beam.hashes[:, :, None], beam.parents[:, None, :]) & (beam.counts > 0)[:, None, :]
    joining = tf.gather(grows, tf.tile(last[:, None, :], [1, width, 1]), axis=2, batch_dims=2)  # (batch, from, to)
    stays_symbol = _sum(stays_symbol, tf.reduce_max(tf.where(child, joining, IMPOSSIBLE), axis=1))
    taken = tf.reduce_any(child[..., None] & tf.one_hot(last, ids, on_value=True, off_value=False)[:, None], axis=2)
    grows = tf.where(taken, IMPOSSIBLE, grows)

    scores = tf.concat(
        [
            _sum(stays_blank, stays_symbol) + beam.language,
            tf.reshape(grows + beam.language[..., None] + rises, [rows, width * ids]),
        ],
        axis=1,
    )
    _, chosen = tf.math.top_k(scores, k=width)
    grown = chosen >= width
    origin = tf.where(grown, (chosen - width) // ids, chosen)
    symbols = tf.where(grown, (chosen - width) % ids, 0)

    def moved(values: Any) -> Any:
        return tf.gather(values, origin, batch_dims=1)

    flat = tf.maximum(chosen - width, 0)
    prefixes, counts, hashes = moved(beam.prefixes), moved(beam.counts), moved(beam.hashes)
    place = tf.equal(tf.range(tf.shape(prefixes)[2])[None, None], counts[..., None]) & grown[..., None]
    return _Beam(
        blank=tf.maximum(tf.where(grown, IMPOSSIBLE, moved(stays_blank)), IMPOSSIBLE),
        symbol=tf.maximum(
            tf.where(grown, tf.gather(tf.reshape(grows, [rows, -1]), flat, batch_dims=1), moved(stays_symbol)),
            IMPOSSIBLE,
        ),
        language=moved(beam.language)
        + tf.where(grown, tf.gather(tf.reshape(rises, [rows, -1]), flat, batch_dims=1), 0.0),
        prefixes=tf.where(place, symbols[..., None], prefixes),
        counts=counts + tf.cast(grown, tf.int32),
        hashes=tf.where(grown, hashes * MULTIPLIER + tf.cast(symbols, tf.int64) + 1, hashes),
        parents=tf.where(grown, hashes, moved(beam.parents)),
        states=_moved_states(beam.states, origin, grown, symbols, width, model),
    )


def _rises(beam: _Beam, model: SymbolModel | None, ids: int, weight: Any, bonus: Any) -> Any:
    """What each symbol adds to a prefix's score beside its sound, `(batch, beam, ids)`."""
    rows, width = tf.shape(beam.blank)[0], beam.blank.shape[1]
    flat = tf.zeros(tf.stack([rows, width, ids])) + tf.cast(bonus, tf.float32)
    if model is None:
        return flat
    return flat + weight * tf.reshape(model.log_probabilities(beam.states), tf.stack([rows, width, ids]))


def _moved_states(states: Any, origin: Any, grown: Any, symbols: Any, width: int, model: SymbolModel | None) -> Any:
    if model is None:
        return states
    rows = tf.shape(origin)[0]
    flat = tf.reshape(origin + tf.range(rows)[:, None] * width, [-1])
    kept = tf.nest.map_structure(lambda state: tf.gather(state, flat), states)
    advanced = model.advance(kept, tf.reshape(symbols, [-1]))
    moves = tf.reshape(grown, [-1])
    return tf.nest.map_structure(lambda new, old: tf.where(_like(moves, new), new, old), advanced, kept)


def _last(prefixes: Any, counts: Any) -> Any:
    """Last symbol of each prefix, 0 of the empty one."""
    return tf.where(counts > 0, tf.gather(prefixes, tf.maximum(counts - 1, 0), batch_dims=2), 0)


def _sum(left: Any, right: Any) -> Any:
    """log(exp(left) + exp(right))."""
    high, low = tf.maximum(left, right), tf.minimum(left, right)
    return high + tf.math.log1p(tf.exp(low - high))


def _where_row(inside: Any, after: Any, now: Any, width: int) -> Any:
    """`after` in the rows that are inside, else `now`; either is `(batch, ...)` or `(batch * beam, ...)`."""
    rows = inside if now.shape.rank > 1 and now.shape[1] == width else tf.repeat(inside, width)
    return tf.where(_like(rows, now), after, now)


def _like(rows: Any, values: Any) -> Any:
    """`(rows,)` with as many more dimensions of size 1 as `values` has."""
    return tf.reshape(rows, [-1, *(1 for _ in range(values.shape.rank - 1))])


def _invariant(values: Any) -> Any:
    return tf.TensorShape([None, *values.shape[1:]])
