"""How likely given ids are, read in parts of one size.

Neither memory nor the order in which a product's sums are taken then depends on the longest row of a batch: a row is
answered with the same bits beside any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from rnnapps.types import Tensor, Tensors

__all__ = ["ReadPart", "judge_ids", "sum_of_rows"]

ReadPart = Callable[[Tensor, Tensor, Tensors], tuple[Tensor, Tensors, Tensors]]
"""Maps (ids int32 `(batch, part)`, valid ones of each row int32 `(batch,)`, states) to (logits `(batch, part, ids)`,
further results float32 `(batch, part, size)`, new states)."""


def judge_ids(
    read: ReadPart,
    reads: Tensor,
    wanted: Tensor,
    lengths: Tensor,
    *,
    states: Sequence[Tensor],
    part: int,
    further: int = 0,
) -> Tensors:
    """Log-probabilities of ids, and what reading gives besides, in graph.

    Args:
        read: reads a part.
        reads: int32 `(batch, time)`, what is read.
        wanted: int32 `(batch, time)`, what should follow each.
        lengths: int32 `(batch,)`, valid ones of each row.
        states: before the first.
        part: how many are read at once.
        further: number of further results.

    Returns:
        Nats `(batch, time)`, float32, and the further results `(batch, time, size)`; zero behind a row's end.
    """
    batch, time = tf.shape(reads)[0], tf.shape(reads)[1]
    parts = tf.maximum((time + part - 1) // part, 1)
    reads, wanted = (tf.pad(ids, [[0, 0], [0, parts * part - time]]) for ids in (reads, wanted))
    arrays = [tf.TensorArray(tf.float32, parts, element_shape=shape) for shape in _shapes(part, further)]

    def body(
        number: Tensor, arrays: list[tf.TensorArray], states: Tensors
    ) -> tuple[Tensor, list[tf.TensorArray], Tensors]:
        start = number * part
        inside = tf.clip_by_value(lengths - start, 0, part)
        logits, others, new = read(reads[:, start : start + part], inside, states)
        found = tf.gather(tf.nn.log_softmax(logits), wanted[:, start : start + part], batch_dims=2)
        valid = tf.sequence_mask(inside, part, tf.float32)
        for state, old in zip(new, states, strict=True):
            state.set_shape(old.shape)  # a loop variable must not lose what is known of its shape
        results = [found * valid, *(other * valid[..., None] for other in others)]
        return number + 1, [each.write(number, result) for each, result in zip(arrays, results, strict=True)], new

    start = (tf.constant(0), arrays, list(states))
    _, arrays, _ = tf.while_loop(lambda number, *_: number < parts, body, start, parallel_iterations=1)
    return [_joined(array.stack(), batch)[:, :time] for array in arrays]


def sum_of_rows(values: Tensor) -> Tensor:
    """Sums of rows `(batch, time)`, one value after the other: zeros behind a row's end change no bit."""
    return tf.cumsum(tf.pad(values, [[0, 0], [1, 0]]), axis=1)[:, -1]


def _shapes(part: int, further: int) -> list[tuple[int | None, ...]]:
    """Of the results of a part."""
    return [(None, part), *[(None, part, None)] * further]


def _joined(parts: Tensor, batch: Tensor) -> Tensor:
    """Parts `(parts, batch, part, ...)` one behind the other: `(batch, parts * part, ...)`."""
    order = [1, 0, *range(2, len(parts.shape))]
    size = tf.shape(parts)
    return tf.reshape(tf.transpose(parts, order), tf.concat([[batch, size[0] * size[2]], size[3:]], axis=0))
