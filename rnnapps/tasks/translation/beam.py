"""Beam search over a step function, in graph: the likeliest sequences of rows of a batch, each on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

__all__ = ["BeamStep", "Hypotheses", "beam_search", "length_norm"]

BeamStep = Callable[[Any, Any], tuple[Any, Any]]

IMPOSSIBLE = -1e30
"""Log probability of what must not occur; far enough from the end of float32 that sums stay finite."""


class Hypotheses(NamedTuple):
    """The best sequences of each row, the best first.

    Attributes:
        ids: int32 `(batch, n_best, time)`, without the end; 0 behind a sequence.
        lengths: int32 `(batch, n_best)`, ids of each, without the end.
        scores: float32 `(batch, n_best)`, log probability over `length_norm`; -1e30 where there are fewer sequences.
        log_probabilities: float32 `(batch, n_best)`, of the sequence with its end, in nats.
    """

    ids: Any
    lengths: Any
    scores: Any
    log_probabilities: Any


class _Beams(NamedTuple):
    """Loop variables: `(batch, beams, ...)` each, but for `done` `(batch,)`."""

    ids: Any
    last: Any
    sums: Any
    states: Any
    ended_ids: Any
    ended_lengths: Any
    ended_sums: Any
    ended_scores: Any
    done: Any


class _Candidates(NamedTuple):
    """Extensions of hypotheses, the best first, each `(batch, 2 * beams)`."""

    sums: Any
    parents: Any
    ids: Any


def length_norm(length: Any, penalty: Any) -> Any:
    """((5 + length) / 6) ** penalty, Wu et al. 2016 (arXiv:1609.08144, equation 14); the end counts in the length."""
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** penalty


def beam_search(
    step: BeamStep,
    states: Any,
    *,
    start_id: int,
    end_id: int,
    limits: Any,
    beams: int,
    n_best: int = 1,
    length_penalty: Any = 0.0,
    never: Sequence[int] = (),
) -> Hypotheses:
    """Finds likely sequences that end.

    At each step every unfinished hypothesis of a row is extended by every id. Of the best `beams` candidates those that
    end become results; the best `beams` that do not end go on. A row is done when no unfinished hypothesis can become
    better than the wanted results, however likely its continuation; or when there are `beams` results and no unfinished
    hypothesis scores better than the wanted ones at its present length. What a row becomes does not depend on the
    others. One beam is greedy search.

    Args:
        step: maps (last ids int32 `(batch, beams)`, states) to (logits `(batch, beams, ids)`, new states).
        states: tensors `(batch, ...)` before the first step, in any structure. There are two ids or more.
        start_id: what is read first.
        end_id: what ends a sequence.
        limits: int32 `(batch,)`, at least 1: the most ids of each row's sequences, with their end.
        beams: unfinished hypotheses kept.
        n_best: results wanted, at most `beams`.
        length_penalty: at least 0, a number or float32 `(batch,)`; higher favours long sequences.
        never: ids that do not occur.

    Returns:
        The results, as wide as the longest limit.
    """
    limits = tf.cast(limits, tf.int32)
    batch, width = tf.shape(limits)[0], tf.reduce_max(tf.concat([limits, [1]], axis=0))
    penalty = tf.broadcast_to(tf.cast(length_penalty, tf.float32), [batch])[:, None]
    barred = [number for number in never if number != end_id]

    def running(now: Any, found: _Beams) -> Any:
        return (now < width) & ~tf.reduce_all(found.done)

    def body(now: Any, found: _Beams) -> tuple[Any, _Beams]:
        logits, new_states = step(found.last, found.states)
        sums = found.sums[..., None] + _log_probabilities(logits, barred)
        last_step = now + 1 >= limits
        sums = tf.where(last_step[:, None, None], _only(sums, end_id), sums)
        candidates = _candidates(sums, beams)
        ended = _with_ended(found, candidates, end_id, now, length_norm(now + 1, penalty))
        longer = _extended(ended, candidates, new_states, end_id, now)
        done = found.done | last_step | _settled(longer, now + 1, limits, penalty[:, 0], n_best)
        return now + 1, _kept(found, longer._replace(done=done), found.done)

    start = (tf.constant(0), _first(states, batch, beams, width, start_id))
    _, found = tf.while_loop(running, body, start, parallel_iterations=1)
    return Hypotheses(
        found.ended_ids[:, :n_best],
        found.ended_lengths[:, :n_best],
        found.ended_scores[:, :n_best],
        found.ended_sums[:, :n_best],
    )


def _first(states: Any, batch: Any, beams: int, width: Any, start_id: int) -> _Beams:
    """One hypothesis a row; the others are impossible, so that they are no copies of it."""
    impossible = tf.fill([batch, beams], IMPOSSIBLE)
    ids, none = tf.zeros([batch, beams, width], tf.int32), tf.zeros([batch, beams], tf.int32)
    return _Beams(
        ids=ids,
        last=tf.fill([batch, beams], start_id),
        sums=tf.concat([tf.zeros([batch, 1]), impossible[:, 1:]], axis=1),
        states=tf.nest.map_structure(lambda state: tf.repeat(state[:, None], beams, axis=1), states),
        ended_ids=ids,
        ended_lengths=none,
        ended_sums=impossible,
        ended_scores=impossible,
        done=tf.zeros([batch], tf.bool),
    )


def _log_probabilities(logits: Any, barred: Sequence[int]) -> Any:
    """Of all ids; impossible for those that must not occur, whose probability is lost."""
    found = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    for number in barred:
        found = _without(found, number)
    return found


def _without(values: Any, number: int) -> Any:
    """Values `(..., ids)` with one id impossible."""
    return tf.where(tf.equal(tf.range(tf.shape(values)[-1]), number), IMPOSSIBLE, values)


def _only(values: Any, number: int) -> Any:
    """Values `(..., ids)` with all ids impossible but one."""
    return tf.where(tf.equal(tf.range(tf.shape(values)[-1]), number), values, IMPOSSIBLE)


def _candidates(sums: Any, beams: int) -> _Candidates:
    """The best twice `beams` of sums `(batch, beams, ids)`: at least `beams` of them do not end."""
    batch, count = tf.shape(sums)[0], tf.shape(sums)[2]
    best, chosen = tf.math.top_k(tf.reshape(sums, [batch, beams * count]), 2 * beams)
    return _Candidates(tf.maximum(best, IMPOSSIBLE), chosen // count, chosen % count)


def _with_ended(found: _Beams, candidates: _Candidates, end_id: int, now: Any, norm: Any) -> _Beams:
    """The best of the sequences that ended before and those that end now."""
    beams = found.sums.shape[1]
    sums, parents, ids = (part[:, :beams] for part in candidates)
    exist = tf.equal(ids, end_id) & (sums > IMPOSSIBLE / 2)
    scores = tf.where(exist, sums / norm, IMPOSSIBLE)
    best, chosen = tf.math.top_k(tf.concat([found.ended_scores, scores], axis=1), beams)

    def pick(before: Any, current: Any) -> Any:
        return tf.gather(tf.concat([before, current], axis=1), chosen, batch_dims=1)

    return found._replace(
        ended_ids=pick(found.ended_ids, tf.gather(found.ids, parents, batch_dims=1)),
        ended_lengths=pick(found.ended_lengths, tf.fill(tf.shape(sums), now)),
        ended_sums=pick(found.ended_sums, sums),
        ended_scores=best,
    )


def _extended(found: _Beams, candidates: _Candidates, states: Any, end_id: int, now: Any) -> _Beams:
    """The best hypotheses that are one id longer and do not end."""
    beams = found.sums.shape[1]
    best, chosen = tf.math.top_k(tf.where(tf.equal(candidates.ids, end_id), IMPOSSIBLE, candidates.sums), beams)
    parents, last = (tf.gather(part, chosen, batch_dims=1) for part in (candidates.parents, candidates.ids))

    def of_parents(values: Any) -> Any:
        return tf.gather(values, parents, batch_dims=1)

    here = tf.equal(tf.range(tf.shape(found.ids)[2]), now)
    return found._replace(
        ids=tf.where(here, last[..., None], of_parents(found.ids)),
        last=last,
        sums=best,
        states=tf.nest.map_structure(of_parents, states),
    )


def _settled(found: _Beams, length: Any, limits: Any, penalty: Any, n_best: int) -> Any:
    """Rows `(batch,)` whose unfinished hypotheses cannot become better than the wanted results, or hardly so.

    A number of results alone settles nothing: where the model is sure of a long sequence, unlikely early ends fill the
    places of results long before it is complete.
    """
    wanted, best = found.ended_scores[:, n_best - 1], found.sums[:, 0]
    enough = found.ended_scores[:, -1] > IMPOSSIBLE / 2
    return (wanted >= best / length_norm(limits, penalty)) | (enough & (wanted >= best / length_norm(length, penalty)))


def _kept(old: _Beams, new: _Beams, done: Any) -> _Beams:
    """The new values with the old shapes, but the old values in rows that were done before."""

    def choose(before: Any, after: Any) -> Any:
        chosen = tf.where(tf.reshape(done, [-1] + [1] * (len(before.shape) - 1)), before, after)
        chosen.set_shape(before.shape)
        return chosen

    chosen: _Beams = tf.nest.map_structure(choose, old, new)
    return chosen
