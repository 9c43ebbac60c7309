"""What is done to each vector of a sequence, done to all as rows of one matrix."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["become_rows", "by_rows"]


def become_rows(values: Tensor) -> bool:
    """Whether `by_rows` makes rows of values `(..., features)`."""
    leading = values.shape[:-1]
    return len(leading) > 1 and tf.is_tensor(values) and sum(size is None for size in leading) < 2 and 0 not in leading


def by_rows(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """What a function of rows `(rows, features)` makes of values `(..., features)`: `(..., any)`.

    Without, Keras asks for the sizes of `(batch, 1, features)` while a graph runs, since it does not know the first:
    ten operations beside a product, which take longer than a small one. Values that do not `become_rows` are given to
    the function as they are.
    """
    if not become_rows(values):
        return function(values)
    leading = values.shape[:-1]
    rows = function(tf.reshape(values, [-1, values.shape[-1]]))
    return tf.reshape(rows, [*(-1 if size is None else size for size in leading), *rows.shape[1:]])
