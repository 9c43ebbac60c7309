"""What came of all rows up to each row, in log2(rows) rounds of large operations in place of one round for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from rnnapps.types import Tensor, Tensors

__all__ = ["before_each", "last_of", "running_max", "running_recurrence", "running_sum"]

Join = Callable[[Sequence[Tensor], Sequence[Tensor]], Tensors]
"""Maps (what stretches of rows come to, the same of the stretches before them) to what both come to together."""


def running_max(values: Tensor) -> Tensor:
    """The largest value up to each row, `(batch, time, ...)`."""
    return _prefixes(lambda now, before: [tf.maximum(now[0], before[0])], [values], [values.dtype.min])[0]


def running_sum(values: Tensor) -> Tensor:
    """The sum up to each row, `(batch, time, ...)`."""
    return values if values.shape[1] == 1 else tf.cumsum(values, axis=1)


def before_each(first: Tensor, values: Tensor) -> Tensor:
    """What stood before each row, of values `(batch, time, ...)`; before the first of them `first`, `(batch, ...)`."""
    return first[:, None] if values.shape[1] == 1 else tf.concat([first[:, None], values[:, :-1]], axis=1)


def last_of(first: Tensor, values: Tensor) -> Tensor:
    """The last of values `(batch, time, ...)`, `first` of none: `(batch, ...)`."""
    return values[:, 0] if values.shape[1] == 1 else tf.concat([first[:, None], values], axis=1)[:, -1]


def running_recurrence(factors: Tensor, summands: Tensor, start: Tensor) -> Tensor:
    """All h_t = f_t * h_(t-1) + x_t, `(batch, time, ...)`; `start` is the one before, `(batch, ...)`.

    Stretches of rows multiply what came before them by their factors, and add a summand of their own (Blelloch 1990).
    """

    def join(now: Sequence[Tensor], before: Sequence[Tensor]) -> Tensors:
        return [now[0] * before[0], now[1] + now[0] * before[1]]

    product, added = _prefixes(join, [factors, summands], [1.0, 0.0])
    return product * start[:, None] + added


def _prefixes(join: Join, parts: Tensors, nothing: Sequence[float]) -> Tensors:
    """Joins stretches of 1, 2, 4... rows with those before them, until each reaches back to the first row.

    Args:
        join: associative.
        parts: of single rows, each `(batch, time, ...)`.
        nothing: what of each part stands before the first row, and changes nothing.
    """

    def look_back(distance: Tensor | int, now: Tensors) -> Tensors:
        before = [_later(part, distance, fill) for part, fill in zip(now, nothing, strict=True)]
        joined = join(now, before)
        return [tf.ensure_shape(new, part.shape) for new, part in zip(joined, parts, strict=True)]

    if parts[0].shape[1] is not None:
        distance = 1
        while distance < parts[0].shape[1]:
            parts, distance = look_back(distance, parts), 2 * distance
        return parts
    steps = tf.shape(parts[0])[1]
    found: Tensors = tf.while_loop(
        lambda distance, *_: distance < steps,
        lambda distance, *now: (2 * distance, *look_back(distance, list(now))),
        (tf.constant(1), *parts),
    )[1:]
    return list(found)


def _later(values: Tensor, distance: Tensor | int, fill: float) -> Tensor:
    """Values `(batch, time, ...)` moved so many rows on, with something else before them."""
    paddings = [[0, 0], [distance, 0], *([[0, 0]] * (len(values.shape) - 2))]
    return tf.pad(values, paddings, constant_values=fill)[:, : tf.shape(values)[1]]
