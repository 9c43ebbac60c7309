"""Given ids, read in parts of one size, and how likely they are.

Neither memory nor the order in which a product's sums are taken then depends on the longest row of a batch: a row is
answered with the same bits beside any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.types import Tensor, Tensors

__all__ = ["ReadPart", "judge_ids", "read_in_parts", "sum_of_rows"]

Arrays = list[tf.TensorArray]
ReadPart = Callable[[Tensors, Tensor, Tensors], tuple[Tensors, Tensors]]
"""Maps (ids, each int32 `(batch, part)`, valid ones of each row int32 `(batch,)`, states) to (results, each float32
`(batch, part)` or `(batch, part, size)`, new states)."""


def read_in_parts(
    read: ReadPart, ids: Sequence[Tensor], lengths: Tensor, states: Sequence[Tensor], *, part: int, ranks: Sequence[int]
) -> tuple[Tensors, Tensors]:
    """Reads part after part, in graph.

    Args:
        read: reads a part.
        ids: int32 `(batch, time)` each.
        lengths: int32 `(batch,)`, valid ones of each row.
        states: before the first.
        part: how many places are read at once; where there are known to be no more, they are read as they are, and so
            they are in a graph for other runtimes, which has no loops.
        ranks: of the results, 2 or 3.

    Returns:
        Results `(batch, time, ...)`, zero behind a row's end, and the states after each row's last.
    """
    known = ids[0].shape[1]
    if known is not None and (known <= part or in_portable_graph()):
        results, new = read(list(ids), lengths, list(states))
        return [_inside(result, lengths) for result in results], new
    time = tf.shape(ids[0])[1]
    parts = tf.maximum((time + part - 1) // part, 1)
    padded = [tf.pad(each, [[0, 0], [0, parts * part - time]]) for each in ids]
    arrays = [tf.TensorArray(tf.float32, parts, element_shape=(None, part, None)[:rank]) for rank in ranks]

    def body(
        now: Tensor, arrays: list[tf.TensorArray], states: Tensors
    ) -> tuple[Tensor, list[tf.TensorArray], Tensors]:
        first = now * part
        inside = tf.clip_by_value(lengths - first, 0, part)
        results, new = read([each[:, first : first + part] for each in padded], inside, states)
        for state, old in zip(new, states, strict=True):
            state.set_shape(old.shape)  # a loop variable must not lose what is known of its shape
        kept = (_inside(result, inside) for result in results)
        return now + 1, [array.write(now, result) for array, result in zip(arrays, kept, strict=True)], new

    begin = (tf.constant(0), arrays, list(states))
    _, arrays, last = tf.while_loop(lambda now, *_: now < parts, body, begin, parallel_iterations=1)
    return [_joined(array.stack())[:, :time] for array in arrays], last


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
        read: reads a part of one kind of ids; its first result is logits `(batch, part, ids)`.
        reads: int32 `(batch, time)`, what is read.
        wanted: int32 `(batch, time)`, what should follow each.
        lengths: int32 `(batch,)`, valid ones of each row.
        states: before the first.
        part: how many are read at once.
        further: number of further results, each `(batch, part, size)`.

    Returns:
        Nats `(batch, time)`, and the further results; zero behind a row's end.
    """

    def judge(ids: Tensors, inside: Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
        (logits, *others), new = read(ids[:1], inside, states)
        return [tf.gather(tf.nn.log_softmax(logits), ids[1], batch_dims=2), *others], new

    ranks = [2, *[3] * further]
    return read_in_parts(judge, [reads, wanted], lengths, states, part=part, ranks=ranks)[0]


def sum_of_rows(values: Tensor) -> Tensor:
    """Sums of rows `(batch, time)`, one value after the other: zeros behind a row's end change no bit."""
    return tf.cumsum(tf.pad(values, [[0, 0], [1, 0]]), axis=1)[:, -1]


def _inside(values: Tensor, lengths: Tensor) -> Tensor:
    """Values `(batch, time, ...)`, zero behind a row's end."""
    valid = tf.sequence_mask(lengths, tf.shape(values)[1], tf.float32)
    return values * (valid if len(values.shape) == 2 else valid[..., None])


def _joined(parts: Tensor) -> Tensor:
    """Parts `(parts, batch, part, ...)` one behind the other: `(batch, parts * part, ...)`."""
    size = tf.shape(parts)
    rows = tf.transpose(parts, [1, 0, *range(2, len(parts.shape))])
    return tf.reshape(rows, tf.concat([[size[1], size[0] * size[2]], size[3:]], axis=0))
