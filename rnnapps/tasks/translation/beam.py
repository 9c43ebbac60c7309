"""Beam search over a step function, in graph: the likeliest sequences of rows of a batch, each on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from rnnapps.tasks.translation.beam_rules import IMPOSSIBLE, NO_RULES, Rules
from rnnapps.types import Tensor

__all__ = ["BeamStep", "Hypotheses", "beam_search", "length_norm"]

BeamStep = Callable[[Tensor, Any], tuple[Tensor, Any]]
"""Maps (last ids int32 `(batch, beams)`, states) to (logits `(batch, beams, ids)`, new states)."""


class Hypotheses(NamedTuple):
    """The best sequences of each row, the best first.

    Attributes:
        ids: int32 `(batch, n_best, time)`, without the end; 0 behind a sequence.
        lengths: int32 `(batch, n_best)`, ids of each, without the end.
        scores: float32 `(batch, n_best)`, log probability over `length_norm`; -1e30 where there are fewer sequences.
        log_probabilities: float32 `(batch, n_best)`, of the sequence with its end, in nats.
    """

    ids: Tensor
    lengths: Tensor
    scores: Tensor
    log_probabilities: Tensor


class _Beams(NamedTuple):
    """Loop variables: `(batch, beams, ...)` each, but for `done` `(batch,)`.

    Attributes:
        ids: of the unfinished hypotheses, int32 `(batch, beams, width)`, 0 where none is written yet.
        last: the newest id of each, what the network reads next.
        sums: log probability of each, in nats.
        states: of the network, in any structure.
        ended_ids: of the results so far, the best first; `ended_lengths`, `ended_sums` and `ended_scores` belong to
            them.
        done: rows whose results no longer change.
    """

    ids: Tensor
    last: Tensor
    sums: Tensor
    states: Any
    ended_ids: Tensor
    ended_lengths: Tensor
    ended_sums: Tensor
    ended_scores: Tensor
    done: Tensor


class _Candidates(NamedTuple):
    """Extensions of hypotheses, the best first, each `(batch, 2 * beams)`.

    Attributes:
        sums: log probability of the extended sequence.
        parents: number of the hypothesis in the beam that is extended.
        ids: by which id.
    """

    sums: Tensor
    parents: Tensor
    ids: Tensor


def length_norm(length: Tensor, penalty: Tensor | float) -> Tensor:
    """((5 + length) / 6) ** penalty, Wu et al. 2016 (arXiv:1609.08144, equation 14); the end counts in the length."""
    return ((5.0 + tf.cast(length, tf.float32)) / 6.0) ** penalty


def beam_search(
    step: BeamStep,
    states: Any,
    *,
    start_id: int,
    end_id: int,
    limits: Tensor,
    beams: int,
    n_best: int = 1,
    length_penalty: Tensor | float = 0.0,
    never: Sequence[int] = (),
    width: int | None = None,
    rules: Rules = NO_RULES,
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
        width: at least the longest limit: so many steps are written out one by one, for a graph without loops.
        rules: what must not be written again, and what must be copied; sequences that lack some of it have a lower
            score, by 10 nats each.

    Returns:
        The results, as wide as the longest limit, or as `width`.
    """
    limits = tf.cast(limits, tf.int32)
    batch, longest = tf.shape(limits)[0], tf.reduce_max(tf.concat([limits, [1]], axis=0))
    penalty = tf.broadcast_to(tf.cast(length_penalty, tf.float32), [batch])[:, None]
    barred = [number for number in never if number != end_id]

    def running(now: Tensor, beam: _Beams) -> Tensor:
        return (now < longest) & ~tf.reduce_all(beam.done)

    def body(now: Tensor, beam: _Beams) -> tuple[Tensor, _Beams]:
        logits, new_states = step(beam.last, beam.states)
        sums = rules.applied(beam.sums[..., None] + _log_probabilities(logits, barred), beam.ids, now)
        last_step = now + 1 >= limits  # (batch,): these rows must end here
        sums = tf.where(last_step[:, None, None], _only(sums, end_id), sums)
        candidates = _candidates(sums, beams)
        # Ends first: they read the ids and parents of the beam before it is replaced.
        owed = rules.owed(beam.ids)
        ended = _with_ended(beam, candidates, now, end_id=end_id, norm=length_norm(now + 1, penalty), owed=owed)
        longer = _longer(ended, candidates, new_states, now, end_id=end_id)
        done = beam.done | last_step | _settled(longer, now + 1, limits, penalty=penalty[:, 0], n_best=n_best)
        return now + 1, _kept(beam, longer._replace(done=done), beam.done)

    first = _first(states, batch, beams=beams, width=width or longest, start_id=start_id)
    beam = _steps(running, body, first, width)
    found = (beam.ended_ids, beam.ended_lengths, beam.ended_scores, beam.ended_sums)
    return Hypotheses(*(part[:, :n_best] for part in found))


def _steps(
    running: Callable[[Tensor, _Beams], Tensor],
    body: Callable[[Tensor, _Beams], tuple[Tensor, _Beams]],
    beam: _Beams,
    width: int | None,
) -> _Beams:
    """The last beam of a loop, or of `width` steps that are written out."""
    if width is None:
        last: _Beams = tf.while_loop(running, body, (tf.constant(0), beam), parallel_iterations=1)[1]
        return last
    for now in range(width):
        _, beam = body(tf.constant(now), beam)
    return beam


def _first(states: Any, batch: Tensor, *, beams: int, width: Tensor, start_id: int) -> _Beams:
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


def _log_probabilities(logits: Tensor, barred: Sequence[int]) -> Tensor:
    """Of all ids; impossible for those that must not occur, whose probability is lost."""
    scores = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    for number in barred:
        scores = _without(scores, number)
    return scores


def _without(values: Tensor, number: int) -> Tensor:
    """Values `(..., ids)` with one id impossible."""
    return tf.where(tf.equal(tf.range(tf.shape(values)[-1]), number), IMPOSSIBLE, values)


def _only(values: Tensor, number: int) -> Tensor:
    """Values `(..., ids)` with all ids impossible but one."""
    return tf.where(tf.equal(tf.range(tf.shape(values)[-1]), number), values, IMPOSSIBLE)


def _candidates(sums: Tensor, beams: int) -> _Candidates:
    """The best twice `beams` of sums `(batch, beams, ids)`: at least `beams` of them do not end."""
    batch, count = tf.shape(sums)[0], tf.shape(sums)[2]
    # One ranking over all beams of a row: hypothesis n with id k stands at place n * count + k.
    best, chosen = tf.math.top_k(tf.reshape(sums, [batch, beams * count]), 2 * beams)
    return _Candidates(tf.maximum(best, IMPOSSIBLE), chosen // count, chosen % count)


def _with_ended(
    beam: _Beams, candidates: _Candidates, now: Tensor, *, end_id: int, norm: Tensor, owed: Tensor
) -> _Beams:
    """The best of the sequences that ended before and those that end now, less the nats `(batch, beams)` they owe."""
    width = beam.sums.shape[1]
    # Only ends among the best `width` count: beam search would not have gone on with the others either.
    sums, parents, ids = (part[:, :width] for part in candidates)
    exist = tf.equal(ids, end_id) & (sums > IMPOSSIBLE / 2)
    scores = tf.where(exist, (sums - tf.gather(owed, parents, batch_dims=1)) / norm, IMPOSSIBLE)
    best, chosen = tf.math.top_k(tf.concat([beam.ended_scores, scores], axis=1), width)

    def pick(before: Tensor, current: Tensor) -> Tensor:
        return tf.gather(tf.concat([before, current], axis=1), chosen, batch_dims=1)

    return beam._replace(
        ended_ids=pick(beam.ended_ids, tf.gather(beam.ids, parents, batch_dims=1)),
        ended_lengths=pick(beam.ended_lengths, tf.fill(tf.shape(sums), now)),
        ended_sums=pick(beam.ended_sums, sums),
        ended_scores=best,
    )


def _longer(beam: _Beams, candidates: _Candidates, states: Any, now: Tensor, *, end_id: int) -> _Beams:
    """The best hypotheses that are one id longer and do not end."""
    width = beam.sums.shape[1]
    going_on = tf.where(tf.equal(candidates.ids, end_id), IMPOSSIBLE, candidates.sums)  # (batch, 2 * beams)
    best, chosen = tf.math.top_k(going_on, width)
    parents, last = (tf.gather(part, chosen, batch_dims=1) for part in (candidates.parents, candidates.ids))

    def of_parents(values: Tensor) -> Tensor:
        return tf.gather(values, parents, batch_dims=1)

    here = tf.equal(tf.range(tf.shape(beam.ids)[2]), now)
    return beam._replace(
        ids=tf.where(here, last[..., None], of_parents(beam.ids)),
        last=last,
        sums=best,
        states=tf.nest.map_structure(of_parents, states),
    )


def _settled(beam: _Beams, length: Tensor, limits: Tensor, *, penalty: Tensor, n_best: int) -> Tensor:
    """Rows `(batch,)` whose unfinished hypotheses cannot become better than the wanted results, or hardly so.

    A number of results alone settles nothing: where the model is sure of a long sequence, unlikely early ends fill the
    places of results long before it is complete.
    """
    # A sum only falls as a sequence grows, and divided by the norm of the longest length it is the best it can become.
    wanted, best = beam.ended_scores[:, n_best - 1], beam.sums[:, 0]
    enough = beam.ended_scores[:, -1] > IMPOSSIBLE / 2
    return (wanted >= best / length_norm(limits, penalty)) | (enough & (wanted >= best / length_norm(length, penalty)))


def _kept(old: _Beams, new: _Beams, done: Tensor) -> _Beams:
    """The new values with the old shapes, but the old values in rows that were done before."""

    def choose(before: Tensor, after: Tensor) -> Tensor:
        chosen = tf.where(tf.reshape(done, [-1] + [1] * (len(before.shape) - 1)), before, after)
        chosen.set_shape(before.shape)
        return chosen

    chosen: _Beams = tf.nest.map_structure(choose, old, new)
    return chosen
