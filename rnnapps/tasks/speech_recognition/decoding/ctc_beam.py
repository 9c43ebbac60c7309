"""Prefix beam search for CTC, in graph, with an optional language model over symbols."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from rnnapps.tasks.speech_recognition.decoding.ctc_prefixes import (
    IMPOSSIBLE,
    Prefixes,
    best_first,
    first_prefixes,
    kept_behind_ends,
    last_symbols,
    log_sum,
    rows_like,
)
from rnnapps.tasks.speech_recognition.decoding.symbol_model import SymbolModel

__all__ = ["beam_search"]

MULTIPLIER = 6364136223846793005
"""Of a rolling 64-bit hash of prefixes (Knuth's of MMIX)."""


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
    beam = first_prefixes(rows, outputs, width, language_model)

    def step(time: Any, beam: Prefixes) -> Any:
        new = _extended(beam, log_probabilities[:, time], language_model, weight, bonus)
        return time + 1, kept_behind_ends(time < lengths, new, beam)

    _, beam = tf.while_loop(
        lambda time, _: time < outputs,
        step,
        [tf.constant(0), beam],
        shape_invariants=[tf.TensorShape([]), tf.nest.map_structure(_invariant, beam)],
    )
    return best_first(beam)


def _extended(beam: Prefixes, emitted: Any, model: SymbolModel | None, weight: Any, bonus: Any) -> Prefixes:
    """The best prefixes after one more output, whose log-probabilities are `emitted` `(batch, ids)`."""
    width, ids = beam.blank.shape[1], emitted.shape[1]
    rows = tf.shape(emitted)[0]
    total = log_sum(beam.blank, beam.symbol)
    last = last_symbols(beam)
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
    stays_symbol = log_sum(stays_symbol, tf.reduce_max(tf.where(child, joining, IMPOSSIBLE), axis=1))
    taken = tf.reduce_any(child[..., None] & tf.one_hot(last, ids, on_value=True, off_value=False)[:, None], axis=2)
    grows = tf.where(taken, IMPOSSIBLE, grows)

    scores = tf.concat(
        [
            log_sum(stays_blank, stays_symbol) + beam.language,
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
    return Prefixes(
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


def _rises(beam: Prefixes, model: SymbolModel | None, ids: int, weight: Any, bonus: Any) -> Any:
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
    return tf.nest.map_structure(lambda new, old: tf.where(rows_like(moves, new), new, old), advanced, kept)


def _invariant(values: Any) -> Any:
    return tf.TensorShape([None, *values.shape[1:]])
