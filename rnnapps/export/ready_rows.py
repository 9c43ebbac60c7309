"""What a function sees of a request: rows that keep the rules, one at least, as long as it needs them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.tensor_names import LENGTHS
from rnnapps.export.row_checks import is_long, together
from rnnapps.types import NamedTensors, Size, Tensor

__all__ = ["Zeros", "are_ready", "as_ready", "have_one_step", "kept", "ready", "ready_of_one_step", "shaped"]


def are_ready(endpoint: Endpoint, inputs: NamedTensors, *, counted: bool = True) -> Tensor:
    """Whether there is nothing to lengthen and nothing to cut off, a bool scalar; of good rows, one at least.

    Not `counted`, the places that `lengths` counts are known to be one, which is as many as are needed.
    """
    known = [] if counted else [(name, 1) for name in together(endpoint)]
    open_places = [
        (name, axis)
        for name in inputs
        for axis, size in enumerate(endpoint.input_signature[name].shape.as_list())
        if axis and size is None and (name, axis) not in known
    ]
    if not open_places:
        return tf.constant(True)
    sizes = tf.stack([tf.shape(inputs[name])[axis] for name, axis in open_places])
    any_size = np.iinfo(np.int32).max
    most = [endpoint.most_steps.get(name, any_size) if axis == 1 else any_size for name, axis in open_places]
    fit = (sizes >= endpoint.least_steps) & (sizes <= np.array(most, np.int32))
    equal = [open_places.index((name, 1)) for name in together(endpoint)] if counted else []
    if len(equal) > 1:
        alike = tf.gather(sizes, equal)
        fit &= tf.reduce_max(alike) <= tf.reduce_min(alike)
    return tf.reduce_all(fit)


def as_ready(endpoint: Endpoint, inputs: NamedTensors, *, one_step: bool = False) -> dict[str, Tensor]:
    """Inputs that need no change, of which a graph knows the shapes; the places that `lengths` counts may be one."""
    return {name: shaped(tf.identity(value), _shape(endpoint, name, one_step)) for name, value in inputs.items()}


def ready(endpoint: Endpoint, inputs: NamedTensors, refused: Tensor) -> dict[str, Tensor]:
    """Inputs that the function can bear: neutral rows for refused ones, and one such row where there is none at all."""
    first = _Paddings(refused, [1])
    good = tf.pad(~refused, first.of_rank(1))
    read = {name: _cut(values, endpoint.most_steps.get(name)) for name, values in inputs.items()}
    alike = together(endpoint)
    width = tf.reduce_max(tf.stack([tf.shape(read[name])[1] for name in alike])) if len(alike) > 1 else None
    given, zeros = {}, Zeros()
    for name, values in read.items():
        shape = endpoint.input_signature[name].shape
        if is_long(endpoint, name):
            least: list[Size] = [1, *(endpoint.least_steps if size is None else 0 for size in shape.as_list()[1:])]
            if width is not None and name in alike:
                least[1] = tf.maximum(least[1], width)
            padding = _Paddings(values, least).of_rank(len(shape))
        else:
            padding = first.of_rank(len(shape))
        padded = tf.pad(values, padding, constant_values=_zero(values.dtype))
        given[name] = shaped(kept(good, padded, zeros, other=_neutral(endpoint, name)), shape)
    return given


def have_one_step(endpoint: Endpoint, inputs: NamedTensors) -> Tensor:
    """Whether there are rows, each has one place in all inputs that `lengths` counts, and they are ready; a scalar."""
    sizes = [tf.shape(inputs[name]) for name in together(endpoint)]
    one = tf.equal(sizes[0][1], 1) if len(sizes) == 1 else tf.reduce_all(tf.equal([size[1] for size in sizes], 1))
    return (sizes[0][0] > 0) & one & are_ready(endpoint, inputs, counted=endpoint.least_steps > 1)


def ready_of_one_step(endpoint: Endpoint, inputs: NamedTensors, refused: Tensor) -> dict[str, Tensor]:
    """`ready` of such rows, where there is nothing to lengthen and nothing to cut off."""
    good, zeros = ~refused, Zeros()
    return {
        name: shaped(kept(good, values, zeros, other=_neutral(endpoint, name)), _shape(endpoint, name, True))
        for name, values in inputs.items()
    }


def _shape(endpoint: Endpoint, name: str, one_step: bool) -> tf.TensorShape:
    """What is known of an input's shape."""
    batch, *sizes = endpoint.input_signature[name].shape.as_list()
    return tf.TensorShape([batch, 1, *sizes[1:]] if one_step and name in together(endpoint) else [batch, *sizes])


def _cut(values: Tensor, most: int | None) -> Tensor:
    """The places that are read, of `(batch, places, ...)`."""
    return values if most is None else values[:, :most]


class _Paddings:
    """What is added behind the ends of a tensor's dimensions.

    Args:
        values: the tensor.
        least: the least size of each dimension.
    """

    def __init__(self, values: Tensor, least: Sequence[Size]) -> None:
        fixed = all(isinstance(size, int) for size in least)
        self._added = tf.maximum((np.array(least, np.int32) if fixed else tf.stack(least)) - tf.shape(values), 0)
        self._known: dict[int, Tensor] = {}

    def of_rank(self, rank: int) -> Tensor:
        """Int32 `(rank, 2)` for `tf.pad`; dimensions behind those of the tensor stay as they are."""
        if rank not in self._known:
            pairs = tf.stack([tf.zeros_like(self._added), self._added], axis=1)
            more = rank - self._added.shape[0]
            self._known[rank] = tf.concat([pairs, np.zeros((more, 2), np.int32)], axis=0) if more else pairs
        return self._known[rank]


def _neutral(endpoint: Endpoint, name: str) -> object:
    """The value of a neutral row's places, None for zeros."""
    return endpoint.neutral.get(name, endpoint.least_steps if name.endswith(LENGTHS) else None)


class Zeros:
    """Zeros of the shapes of tensors that have the same rows; those of one shape and type are made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[tf.DType, tuple[int | None, ...]], Tensor] = {}

    def like(self, values: Tensor) -> Tensor:
        """Zeros of the shape and type of values `(batch, ...)`."""
        shape = tuple(values.shape[1:])
        if None in shape:
            return tf.zeros_like(values)
        if (values.dtype, shape) not in self._known:
            self._known[values.dtype, shape] = tf.zeros_like(values)
        return self._known[values.dtype, shape]


def kept(which: Tensor, values: Tensor, zeros: Zeros, *, other: object = None) -> Tensor:
    """Values `(batch, ...)` in those rows, bool `(batch,)`, and another value, by default zero, in the rest."""
    # The older form of `tf.where` chooses whole rows; the newer one takes several times as long to broadcast them.
    others = zeros.like(values) if other is None else tf.fill(tf.shape(values), tf.constant(other, values.dtype))
    return tf.raw_ops.Select(condition=which, x=values, y=others)


def shaped(values: Tensor, shape: tf.TensorShape) -> Tensor:
    """The values, which a graph then knows to have this shape but for the batch."""
    values.set_shape([None, *shape[1:]])
    return values


def _zero(dtype: tf.DType) -> object:
    """The neutral value of a type."""
    return "" if dtype == tf.string else dtype.as_numpy_dtype(0)
