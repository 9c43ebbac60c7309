"""What is done to each vector of a sequence, done to all as rows of one matrix."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["by_rows"]


def by_rows(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """What a function of rows `(rows, features)` makes of values `(..., features)`: `(..., any)`.

    Without, Keras asks for the sizes of `(batch, 1, features)` while a graph runs, since it does not know the first:
    ten operations beside a product, which take longer than a small one. Where more than one size is open, and outside
    of tensors, the function gets the values as they are.
    """
    leading = values.shape[:-1]
    if len(leading) < 2 or not tf.is_tensor(values) or sum(size is None for size in leading) > 1 or 0 in leading:
        return function(values)
    rows = function(tf.reshape(values, [-1, values.shape[-1]]))
    return tf.reshape(rows, [*(-1 if size is None else size for size in leading), *rows.shape[1:]])
