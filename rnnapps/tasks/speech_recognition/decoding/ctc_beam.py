"""Prefix beam search for CTC, in graph, with an optional language model over symbols."""

from __future__ import annotations

from typing import NamedTuple

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
from rnnapps.tasks.speech_recognition.decoding.hot_words import Favoured
from rnnapps.tasks.speech_recognition.decoding.symbol_model import Memory, SymbolModel
from rnnapps.types import Tensor

__all__ = ["beam_search"]

MULTIPLIER = 6364136223846793005
"""Of a rolling 64-bit hash of prefixes, h(y c) = h(y) * multiplier + c + 1 (Knuth's of MMIX)."""


def beam_search(
    log_probabilities: Tensor,
    lengths: Tensor,
    *,
    width: int,
    language_model: SymbolModel | None = None,
    weight: Tensor | float = 0.0,
    bonus: Tensor | float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
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

    def step(time: Tensor, beam: Prefixes) -> tuple[Tensor, Prefixes]:
        emitted = log_probabilities[:, time]
        new = _extended(beam, emitted, model=language_model, weight=weight, bonus=bonus)
        return time + 1, kept_behind_ends(time < lengths, new, beam)

    _, beam = tf.while_loop(
        lambda time, _: time < outputs,
        step,
        [tf.constant(0), beam],
        shape_invariants=[tf.TensorShape([]), tf.nest.map_structure(_invariant, beam)],
    )
    return best_first(_ended(beam, language_model, weight))


def _ended(beam: Prefixes, model: SymbolModel | None, weight: Tensor | float) -> Prefixes:
    """The prefixes once it is known that nothing follows, which favoured phrases must be told."""
    if not isinstance(model, Favoured):
        return beam
    return beam._replace(
        language=beam.language + weight * tf.reshape(model.at_end(beam.states), tf.shape(beam.language))
    )


class _Moves(NamedTuple):
    """Log-probabilities of the ways in which prefixes go on with one more output.

    Attributes:
        blank: it stays, by a blank, `(batch, beam)`.
        symbol: it stays, by its last symbol heard on, or a shorter prefix of the beam grows into it, `(batch, beam)`.
        grows: it grows by a symbol, `(batch, beam, ids)`; impossible where the result is in the beam already.
        rises: what the symbol adds to the score beside its sound, `(batch, beam, ids)`.
    """

    blank: Tensor
    symbol: Tensor
    grows: Tensor
    rises: Tensor


class _Chosen(NamedTuple):
    """The best moves of each row, all `(batch, beam)`.

    Attributes:
        origin: int32, the prefix that moves.
        grown: bool, whether it grows.
        symbols: int32, by which symbol; 0 where it stays.
        growth: int32, where this way to grow stands among all `beam * ids` of a row; 0 where it stays.
    """

    origin: Tensor
    grown: Tensor
    symbols: Tensor
    growth: Tensor


def _extended(
    beam: Prefixes, emitted: Tensor, *, model: SymbolModel | None, weight: Tensor | float, bonus: Tensor | float
) -> Prefixes:
    """The best prefixes after one more output, whose log-probabilities are `emitted` `(batch, ids)`."""
    moves = _moves(beam, emitted, _rises(beam, emitted, model=model, weight=weight, bonus=bonus))
    return _moved(beam, moves, _best(beam, moves), model)


def _moves(beam: Prefixes, emitted: Tensor, rises: Tensor) -> _Moves:
    """All ways to go on.

    With b and s the probabilities of alignments that end in a blank and in the last symbol l, and p the output:

        b' = (b + s) p(blank),   s' = s p(l),   grown by c: (b + s) p(c), but b p(l) for c = l,

    since l after l without a blank between is the same symbol still.
    """
    ids = emitted.shape[1]
    total = log_sum(beam.blank, beam.symbol)
    last = last_symbols(beam)
    stays_blank = total + emitted[:, :1]
    stays_symbol = tf.where(beam.counts > 0, beam.symbol + tf.gather(emitted, last, batch_dims=1), IMPOSSIBLE)

    is_last = tf.one_hot(last, ids, on_value=True, off_value=False)  # (batch, beam, ids)
    before = tf.where(is_last & (beam.counts > 0)[..., None], beam.blank[..., None], total[..., None])
    grows = before + emitted[:, None]
    grows = tf.where(tf.equal(tf.range(ids), 0)[None, None], IMPOSSIBLE, grows)

    stays_symbol, grows = _merged(beam, is_last, stays_symbol, grows)
    return _Moves(stays_blank, stays_symbol, grows, rises)


def _merged(beam: Prefixes, is_last: Tensor, stays_symbol: Tensor, grows: Tensor) -> tuple[Tensor, Tensor]:
    """Where a grown prefix is in the beam already, its alignments become those of the one that stays.

    Otherwise a transcript would be in the beam twice, with its probability divided.
    """
    width = beam.blank.shape[1]
    # Prefix j is prefix i and one symbol, (batch, i, j): found by hashes, without comparing symbols.
    child = tf.equal(beam.hashes[:, :, None], beam.parents[:, None, :]) & (beam.counts > 0)[:, None, :]
    last = last_symbols(beam)
    joining = tf.gather(grows, tf.tile(last[:, None, :], [1, width, 1]), axis=2, batch_dims=2)  # (batch, i, j)
    # A prefix has one parent, so that the largest of column j is the only possible one.
    stays_symbol = log_sum(stays_symbol, tf.reduce_max(tf.where(child, joining, IMPOSSIBLE), axis=1))
    taken = tf.reduce_any(child[..., None] & is_last[:, None], axis=2)  # (batch, i, ids)
    return stays_symbol, tf.where(taken, IMPOSSIBLE, grows)


def _best(beam: Prefixes, moves: _Moves) -> _Chosen:
    """The best of the `beam` prefixes that stay and the `beam * ids` that grow, in one ranking for each row."""
    rows, width, ids = tf.shape(moves.grows)[0], beam.blank.shape[1], moves.grows.shape[2]
    scores = tf.concat(
        [
            log_sum(moves.blank, moves.symbol) + beam.language,
            tf.reshape(moves.grows + beam.language[..., None] + moves.rises, [rows, width * ids]),
        ],
        axis=1,
    )
    _, chosen = tf.math.top_k(scores, k=width)
    grown = chosen >= width
    return _Chosen(
        origin=tf.where(grown, (chosen - width) // ids, chosen),
        grown=grown,
        symbols=tf.where(grown, (chosen - width) % ids, 0),
        growth=tf.maximum(chosen - width, 0),
    )


def _moved(beam: Prefixes, moves: _Moves, chosen: _Chosen, model: SymbolModel | None) -> Prefixes:
    """The prefixes after the chosen moves. A grown one ends in its new symbol: none of its alignments in a blank."""
    rows, grown = tf.shape(moves.grows)[0], chosen.grown

    def of_origin(values: Tensor) -> Tensor:
        return tf.gather(values, chosen.origin, batch_dims=1)

    def of_growth(values: Tensor) -> Tensor:
        return tf.gather(tf.reshape(values, [rows, -1]), chosen.growth, batch_dims=1)

    prefixes, counts, hashes = of_origin(beam.prefixes), of_origin(beam.counts), of_origin(beam.hashes)
    behind = tf.equal(tf.range(tf.shape(prefixes)[2])[None, None], counts[..., None]) & grown[..., None]
    return Prefixes(
        blank=tf.maximum(tf.where(grown, IMPOSSIBLE, of_origin(moves.blank)), IMPOSSIBLE),
        symbol=tf.maximum(tf.where(grown, of_growth(moves.grows), of_origin(moves.symbol)), IMPOSSIBLE),
        language=of_origin(beam.language) + tf.where(grown, of_growth(moves.rises), 0.0),
        prefixes=tf.where(behind, chosen.symbols[..., None], prefixes),
        counts=counts + tf.cast(grown, tf.int32),
        hashes=tf.where(grown, hashes * MULTIPLIER + tf.cast(chosen.symbols, tf.int64) + 1, hashes),
        parents=tf.where(grown, hashes, of_origin(beam.parents)),
        states=_moved_states(beam, chosen, model),
    )


def _rises(
    beam: Prefixes, emitted: Tensor, *, model: SymbolModel | None, weight: Tensor | float, bonus: Tensor | float
) -> Tensor:
    """What each symbol adds to a prefix's score beside its sound: bonus + weight * log p(symbol | prefix)."""
    rows, width, ids = tf.shape(beam.blank)[0], beam.blank.shape[1], emitted.shape[1]
    flat = tf.zeros(tf.stack([rows, width, ids])) + tf.cast(bonus, tf.float32)
    if model is None:
        return flat
    return flat + weight * tf.reshape(model.log_probabilities(beam.states), tf.stack([rows, width, ids]))


def _moved_states(beam: Prefixes, chosen: _Chosen, model: SymbolModel | None) -> Memory:
    """The language model's memory of the chosen prefixes, `(batch * beam, ...)`; those that stay keep theirs."""
    if model is None:
        return beam.states
    rows, width = tf.shape(chosen.origin)[0], beam.blank.shape[1]
    flat = tf.reshape(chosen.origin + tf.range(rows)[:, None] * width, [-1])
    kept = tf.nest.map_structure(lambda state: tf.gather(state, flat), beam.states)
    advanced = model.advance(kept, tf.reshape(chosen.symbols, [-1]))
    moves = tf.reshape(chosen.grown, [-1])
    return tf.nest.map_structure(lambda new, old: tf.where(rows_like(moves, new), new, old), advanced, kept)


def _invariant(values: Tensor) -> tf.TensorShape:
    """The shape of a loop variable: the batch, and the longest prefix, of any size."""
    return tf.TensorShape([None, *values.shape[1:]])
