"""Sampling sequences from a step function, in graph.

At each step the id is drawn by inverting the cumulative distribution at a uniform number that depends on the row's
seed and the position only. A row's answer therefore does not depend on the rows beside it, nor on how the loop is
cut into chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from rnnapps.decoding.distribution import Rules, draw, inverse_temperature, weights
from rnnapps.kernels.apart import apart
from rnnapps.types import Nest, Size, Tensor

__all__ = [
    "Progress",
    "StepFunction",
    "advance",
    "begin",
    "finished_lengths",
    "generate",
    "generate_as_asked",
    "uniforms",
]

StepFunction = Callable[[Tensor, Nest], tuple[Tensor, Nest]]

_BLOCK = 256
# In a stop pattern: matches anything, matches nothing. In a tail: no id yet.
_ANYTHING, _NEVER, _NO_ID = -1, -2, -3


class _Ending(NamedTuple):
    """What decides where rows end; fields as in `Progress`."""

    limit: Tensor
    stopped: Tensor
    tail: Tensor


class Progress(NamedTuple):
    """Where generation stands between two chunks.

    Attributes:
        states: states after the last id.
        logits: float32 `(batch, vocabulary)` for the next id.
        position: int32 scalar, number of ids drawn so far.
        limit: int32 `(batch,)`, number of ids after which the row has ended: its length, or less once it has stopped.
        stopped: bool `(batch,)`, whether the stop sequence was found.
        tail: int32 `(batch, stop steps)`, the last ids drawn; negative where nothing was drawn yet.
    """

    states: Nest
    logits: Tensor
    position: Tensor
    limit: Tensor
    stopped: Tensor
    tail: Tensor


def generate(
    step: StepFunction, states: Nest, first_logits: Tensor, rules: Rules, *, length: Tensor, maximum: Size | None = None
) -> tuple[Tensor, Tensor]:
    """Draws up to `length` ids for every row.

    Args:
        step: maps (ids int32 `(batch,)`, states) to (logits `(batch, vocabulary)`, new states) of the same structure.
        states: states after the prompt.
        first_logits: logits `(batch, vocabulary)` after the prompt.
        rules: how to sample.
        length: int32 `(batch,)`, ids wanted for each row.
        maximum: int scalar, width of the result and most ids drawn; the greatest `length` when None.

    Returns:
        Ids int32 `(batch, maximum)`, zero after each row's end, and lengths int32 `(batch,)`. The stop sequence is
        not part of the result.
    """
    steps = tf.reduce_max(length) if maximum is None else maximum
    limit = tf.minimum(tf.cast(length, tf.int32), steps)
    ids, progress = advance(step, begin(states, first_logits, rules, length=limit), rules, steps=steps)
    lengths = finished_lengths(progress, rules)
    return tf.where(tf.sequence_mask(lengths, steps), ids, 0), lengths


def generate_as_asked(
    step: StepFunction, states: Nest, first_logits: Tensor, rules: Rules, *, length: Tensor
) -> tuple[Tensor, Tensor]:
    """As `generate`, where the rules have top_k and top_p, but a request may do without them and without stop.

    Sorting the vocabulary for each id costs more than a small network, and looking for stops a third of its time: what
    no row asks for is left out.
    """
    plain = rules._replace(top_k=None, top_p=None, stop=None, stop_lengths=None)
    cut = tf.reduce_any((tf.convert_to_tensor(rules.top_k) > 0) | (tf.convert_to_tensor(rules.top_p) < 1))

    def run(chosen: Rules) -> Callable[[], tuple[Tensor, Tensor]]:
        return lambda: generate(step, states, first_logits, chosen, length=length)

    if rules.stop is None:
        ids, lengths = tf.cond(cut, apart(run(rules)), run(plain))
        return ids, lengths
    whole = run(rules._replace(top_k=None, top_p=None))
    stops = tf.reduce_any(tf.convert_to_tensor(rules.stop_lengths) > 0)
    ids, lengths = tf.cond(cut | stops, apart(lambda: tf.cond(cut, run(rules), whole)), run(plain))
    return ids, lengths


def begin(states: Nest, first_logits: Tensor, rules: Rules, *, length: Tensor) -> Progress:
    """Returns the progress before the first id; arguments as in `generate`."""
    logits = tf.cast(first_logits, tf.float32)
    limit = tf.maximum(tf.cast(length, tf.int32), 0)
    width = 0 if rules.stop is None else _stop_width(rules.stop)
    tail = tf.fill([tf.shape(limit)[0], width], _NO_ID)
    return Progress(states, logits, tf.constant(0), limit, tf.zeros_like(limit, tf.bool), tail)


def finished_lengths(progress: Progress, rules: Rules) -> Tensor:
    """Ids `(batch,)` that belong to each row's result, the stop sequence left out."""
    if rules.stop is None:
        return progress.limit
    return tf.where(progress.stopped, progress.limit - rules.stop_lengths, progress.limit)


def advance(step: StepFunction, progress: Progress, rules: Rules, *, steps: Size) -> tuple[Tensor, Progress]:
    """Draws the next `steps` ids of every row, fewer when all rows have ended.

    Any division into chunks draws the same ids as one chunk.

    Args:
        step: as in `generate`.
        progress: from `begin` or the chunk before.
        rules: how to sample; the same for every chunk.
        steps: int scalar, at least 0.

    Returns:
        Ids int32 `(batch, steps)`, of which those up to the row's `limit` count, and the progress after them.
    """
    numbers = tf.where(rules.temperature > 0, uniforms(rules.seed, progress.position, steps), 0.0)
    scale = inverse_temperature(rules.temperature)
    pattern = None if rules.stop is None else _right_aligned(rules.stop, rules.stop_lengths)
    first = progress.position

    def running(now: Tensor, _written: Tensor, _states: Nest, *others: Tensor) -> Tensor:
        limit = others[1] if pattern is not None else progress.limit  # others: the logits, then an _Ending's fields
        return (now < steps) & (now + first < tf.reduce_max(limit))

    def body(now: Tensor, written: tf.TensorArray, states: Nest, logits: Tensor, *ending: Tensor) -> tuple[Nest, ...]:
        ids = draw(weights(logits, scale, rules), tf.gather(numbers, now))
        new_logits, new_states = _stepped(step, ids, states, logits)
        if pattern is not None:
            ending = _ending(ids, now + first + 1, pattern, _Ending(*ending))
        return (now + 1, written.write(now, ids), new_states, new_logits, *ending)

    # One row more than needed: an empty array has no shape to stack.
    blank = tf.zeros([steps + 1, tf.shape(progress.logits)[0]], tf.int32)
    written = tf.TensorArray(tf.int32, size=steps + 1, element_shape=[progress.logits.shape[0]]).unstack(blank)
    # Without stop sequences limits never change: the loop need not carry them.
    ending = () if pattern is None else _Ending(progress.limit, progress.stopped, progress.tail)
    start = (tf.constant(0), written, progress.states, progress.logits, *ending)
    now, written, states, logits, *ending = tf.while_loop(running, body, start, parallel_iterations=1)
    ids = tf.transpose(written.stack()[:steps])
    limit, stopped, tail = ending or (progress.limit, progress.stopped, progress.tail)
    return ids, Progress(states, logits, first + now, limit, stopped, tail)


def uniforms(seed: Tensor, position: Size, steps: Size) -> Tensor:
    """Uniform numbers of consecutive positions, each a pure function of (seed, position).

    Args:
        seed: integers `(batch,)`.
        position: int scalar or `(batch,)`, the first position.
        steps: int scalar, number of positions.

    Returns:
        float32 `(steps, batch)` from 0 to below 1.
    """
    seed = tf.cast(seed, tf.int64)
    position = tf.broadcast_to(tf.convert_to_tensor(position), tf.shape(seed))
    most = (steps + 2 * _BLOCK - 2) // _BLOCK  # blocks that so many positions may lie in, wherever they begin
    blocks = tf.cast(position // _BLOCK, tf.int64)[:, tf.newaxis] + tf.range(tf.cast(most, tf.int64))
    sources = tf.stack([tf.repeat(seed, most), tf.reshape(blocks, [-1])], axis=1)

    # A block at a time, for its row's own seed: its numbers are what one call of the generator with (seed, number of
    # the block) gives, wherever a chunk begins.
    def block(source: Tensor) -> Tensor:
        return tf.random.stateless_uniform((_BLOCK,), source, alg="philox")

    drawn = tf.map_fn(block, sources, fn_output_signature=tf.TensorSpec((_BLOCK,), tf.float32), parallel_iterations=1)
    drawn = tf.reshape(drawn, [-1, most * _BLOCK])
    places = (position % _BLOCK)[:, tf.newaxis] + tf.range(steps)
    return tf.transpose(tf.gather(drawn, places, batch_dims=1))


def _stepped(step: StepFunction, ids: Tensor, states: Nest, logits: Tensor) -> tuple[Tensor, Nest]:
    """Runs the step and gives its results the static shapes of what they replace, as a loop requires."""
    new_logits, new_states = step(ids, states)
    new_logits = tf.cast(new_logits, tf.float32)
    tf.nest.map_structure(lambda new, old: new.set_shape(old.shape), (new_states, new_logits), (states, logits))
    return new_logits, new_states


def _right_aligned(stop: Tensor, lengths: Tensor) -> Tensor:
    """Moves each row's stop ids to the right end; -1 to their left matches anything, an empty row matches nothing."""
    width = _stop_width(stop)
    places = tf.range(width) - (width - lengths[:, tf.newaxis])
    moved = tf.gather(tf.pad(stop, [[0, 0], [0, 1]]), tf.maximum(places, 0), batch_dims=1)
    return tf.where(places >= 0, moved, tf.where(lengths[:, tf.newaxis] > 0, _ANYTHING, _NEVER))


def _stop_width(stop: Tensor) -> Tensor:
    """Width of the comparison with the stop ids: theirs, but at least 1."""
    return tf.maximum(tf.shape(stop)[1], 1)


def _ending(ids: Tensor, drawn: Tensor, pattern: Tensor, before: _Ending) -> _Ending:
    """What decides where rows end, after each row's id number `drawn`."""
    tail = tf.concat([before.tail[:, 1:], ids[:, tf.newaxis]], axis=1)
    tail.set_shape(before.tail.shape)
    # Ids drawn beyond a row's limit, while others go on, are no part of its answer: they end nothing.
    stops = tf.reduce_all(tf.equal(tail, pattern) | tf.equal(pattern, _ANYTHING), axis=1) & (drawn <= before.limit)
    stops &= tf.logical_not(before.stopped)
    return _Ending(tf.where(stops, drawn, before.limit), before.stopped | stops, tail)
