"""When each symbol of a transcript was heard, and how probable a transcript is, from the outputs of a CTC network."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["align", "log_probability"]

IMPOSSIBLE = -1e30


def log_probability(log_probabilities: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor) -> Tensor:
    """Logarithm of the probability of transcripts, summed over all their alignments (Graves et al. 2006, eq. 5 to 8).

    Args:
        log_probabilities: float32 `(batch, outputs, ids)`; id 0 is the blank.
        lengths: int32 `(batch,)`, outputs of each row.
        symbols: int32 `(batch, most symbols)`.
        counts: int32 `(batch,)`, symbols of each row.

    Returns:
        float32 `(batch,)`; -1e30 or less where a transcript does not fit into the outputs.
    """
    scores, _ = _forward(log_probabilities, lengths, symbols, counts, reduce=tf.reduce_logsumexp)
    return tf.reduce_logsumexp(_at_the_end(scores, counts), axis=1)


def align(log_probabilities: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest alignment of transcripts with outputs (Viterbi).

    Args:
        log_probabilities: float32 `(batch, outputs, ids)`; id 0 is the blank.
        lengths: int32 `(batch,)`, outputs of each row.
        symbols: int32 `(batch, most symbols)`.
        counts: int32 `(batch,)`, symbols of each row; the outputs of a row suffice for them.

    Returns:
        First output of each symbol and the one behind its last, int32 `(batch, most symbols)` each; 0 behind a row's
        end.
    """
    scores, choices = _forward(log_probabilities, lengths, symbols, counts, reduce=tf.reduce_max)
    ends = _at_the_end(scores, counts)
    state = tf.where(ends[:, 1] > ends[:, 0], 2 * counts - 1, 2 * counts)
    outputs = tf.shape(log_probabilities)[1]
    # Backwards from each row's end; -1 at outputs behind it, where the state waits.
    path = tf.TensorArray(tf.int32, outputs, element_shape=[None])

    def back(time: Tensor, state: Tensor, path: tf.TensorArray) -> tuple[Tensor, Tensor, tf.TensorArray]:
        inside = time < lengths
        path = path.write(time, tf.where(inside, state, -1))
        step = tf.cast(tf.gather(choices[time], state, batch_dims=1), tf.int32)
        return time - 1, tf.where(inside, state - step, state), path

    _, _, path = tf.while_loop(lambda time, *_: time >= 0, back, [outputs - 1, state, path])
    return _extents(tf.transpose(path.stack()), symbols, counts)


def _extents(states: Tensor, symbols: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """First output of each symbol and the one behind its last, of the states at all outputs `(batch, outputs)`."""
    rows, outputs = tf.unstack(tf.shape(states))
    width = tf.shape(symbols)[1]
    spoken = tf.equal(states % 2, 1) & (states > 0)
    places = tf.where(spoken, (states - 1) // 2 + width * tf.range(rows)[:, None], -1)  # negative ones are left out
    times = tf.zeros_like(states) + tf.range(outputs)
    # Each symbol of each row is a segment of all outputs: its first and last output are the least and largest of it.
    flat = [tf.reshape(values, [-1]) for values in (times, places)]
    first = tf.reshape(tf.math.unsorted_segment_min(*flat, rows * width), [rows, width])
    last = tf.reshape(tf.math.unsorted_segment_max(*flat, rows * width), [rows, width]) + 1
    inside = tf.sequence_mask(counts, width)
    return tf.where(inside, first, 0), tf.where(inside, last, 0)


def _forward(
    log_probabilities: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor, *, reduce: Callable[..., Tensor]
) -> tuple[Tensor, Tensor]:
    """The recursion over blank, symbol 1, blank, symbol 2... blank.

    In logarithms, a_t(s) = reduce(a_(t-1)(s), a_(t-1)(s - 1), a_(t-1)(s - 2)) + log y_t(s), where the last way, over a
    blank, is open to symbols that differ from the one before (Graves et al. 2006, eq. 6 and 7). With a sum for `reduce`
    it gives probabilities, with a maximum the likeliest path.

    Returns:
        Scores after each row's last output `(batch, states)`, and how many states each step moved on, int8 `(outputs,
        batch, states)`.
    """
    rows, outputs = tf.shape(symbols)[0], tf.shape(log_probabilities)[1]
    width = tf.shape(symbols)[1]
    pairs = tf.reshape(tf.stack([tf.zeros_like(symbols), symbols], axis=2), [rows, 2 * width])
    extended = tf.pad(pairs, [[0, 0], [0, 1]])  # (batch, states)
    number = tf.range(2 * width + 1)[None]  # (1, states): blanks are even, symbols odd
    two_before = tf.pad(extended, [[0, 0], [2, 0]])[:, :-2]
    may_skip = tf.equal(number % 2, 1) & (number >= 2) & tf.not_equal(extended, two_before)
    exists = number <= 2 * counts[:, None]
    # As if a blank had come before the first output: from it, the first blank and symbol 1 can be reached.
    start = tf.where(tf.equal(number, 0), 0.0, IMPOSSIBLE) + tf.zeros([rows, 1])
    choices = tf.TensorArray(tf.int8, outputs, element_shape=[None, None])

    def step(time: Tensor, scores: Tensor, choices: tf.TensorArray) -> tuple[Tensor, Tensor, tf.TensorArray]:
        by_one, by_two = (tf.pad(scores, [[0, 0], [k, 0]], constant_values=IMPOSSIBLE)[:, :-k] for k in (1, 2))
        ways = tf.stack([scores, by_one, tf.where(may_skip, by_two, IMPOSSIBLE)], axis=2)  # (batch, states, 3)
        choices = choices.write(time, tf.cast(tf.argmax(ways, axis=2), tf.int8))
        emitted = tf.gather(log_probabilities[:, time], extended, batch_dims=1)
        new = tf.maximum(reduce(ways, axis=2) + emitted, IMPOSSIBLE)
        inside = (time < lengths)[:, None]
        return time + 1, tf.where(inside, tf.where(exists, new, IMPOSSIBLE), scores), choices

    shapes = [tf.TensorShape([]), tf.TensorShape([None, None]), tf.TensorShape(None)]
    _, scores, choices = tf.while_loop(
        lambda time, *_: time < outputs, step, [tf.constant(0), start, choices], shape_invariants=shapes
    )
    return scores, choices.stack()


def _at_the_end(scores: Tensor, counts: Tensor) -> Tensor:
    """Scores of having read all symbols and the last blank, and of all symbols `(batch, 2)`."""
    last = tf.gather(scores, tf.maximum(2 * counts - 1, 0), batch_dims=1)
    return tf.stack([tf.gather(scores, 2 * counts, batch_dims=1), tf.where(counts > 0, last, IMPOSSIBLE)], axis=1)
