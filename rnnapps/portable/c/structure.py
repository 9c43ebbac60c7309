"""Operations that move elements and compute nothing: most of them are only another view of the same buffer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from rnnapps.portable.c.memory import Expression, Value, View, broadcast_strides, dense
from rnnapps.portable.c.program import Program, as_expression
from rnnapps.types import Array

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STRUCTURE", "Handler", "Unsupported", "constant_of", "result_shape"]

Handler = Callable[[Program, tf.Operation, list[Value]], list[Value]]
"""Maps an operation and its inputs to its outputs."""


class Unsupported(Exception):
    """An operation, or a way to use it, that the compiler does not know."""


def constant_of(operation: tf.Operation, place: int) -> Array:
    """The value of an input that must be constant."""
    value = tf.get_static_value(operation.inputs[place])
    if value is None:
        raise Unsupported(f"its input {place} depends on values")
    return np.asarray(value)


def result_shape(operation: tf.Operation, place: int = 0) -> tuple[int, ...]:
    """Shape of an output."""
    return tuple(operation.outputs[place].shape)


def _reshape(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    shape = result_shape(operation)
    if isinstance(values[0], Expression) and values[0].number is not None:
        return [replace(values[0], shape=shape)]
    flat = program.flat(operation.name, values[0])
    return [flat.moved(shape, dense(shape))]


def _strided_slice(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`tensor[begin:end:step, new, ...]` by NumPy's own rules, tried on the places of a tensor of that shape."""
    index = list(_indices(operation))
    source, shape = values[0], result_shape(operation)
    if isinstance(source, Expression) and source.number is not None:
        return [replace(source, shape=shape)]
    view = program.stored(operation.name, source)
    return [_indexed(view, index, shape)]


def _indices(operation: tf.Operation) -> Iterator[object]:
    begin, end, step = (constant_of(operation, place).tolist() for place in (1, 2, 3))
    masks = {
        name: operation.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    for place in range(len(begin)):
        bit = 1 << place
        if masks["ellipsis"] & bit:
            yield Ellipsis
        elif masks["new_axis"] & bit:
            yield None
        elif masks["shrink_axis"] & bit:
            yield begin[place]
        else:
            first = None if masks["begin"] & bit else begin[place]
            last = None if masks["end"] & bit else end[place]
            yield slice(first, last, step[place])


def _indexed(view: View, index: Sequence[object], shape: tuple[int, ...]) -> View:
    """The view that indexing makes: a number takes one place of an axis, a slice several, None is a new axis."""
    taken = sum(part is not None and part is not Ellipsis for part in index)
    rest = [slice(None)] * (len(view.shape) - taken)
    at = index.index(Ellipsis) if Ellipsis in index else len(index)
    axes = iter(zip(view.shape, view.strides, strict=True))
    strides, offset = [], 0
    for part in [*index[:at], *rest, *index[at + 1 :]]:
        if part is None:
            strides.append(0)
            continue
        size, stride = next(axes)
        if isinstance(part, slice):
            first, _, step = part.indices(size)
            strides.append(stride * step)
        else:
            first = int(part) % size  # type: ignore[call-overload]
        offset += first * stride
    return view.moved(shape, strides, offset if 0 not in shape else 0)


def _slice(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    begin, shape = constant_of(operation, 1).tolist(), result_shape(operation)
    view = program.stored(operation.name, values[0])
    return [_indexed(view, [slice(b, b + size) for b, size in zip(begin, shape, strict=True)], shape)]


def _split(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`Split(axis, value)` and `SplitV(value, sizes, axis)`."""
    whole, axis_at = (values[1], 0) if operation.type == "Split" else (values[0], 2)
    axis = int(constant_of(operation, axis_at)) % len(whole.shape)
    view, start, parts = program.stored(operation.name, whole), 0, []
    for output in operation.outputs:
        shape = tuple(output.shape)
        parts.append(view.moved(shape, view.strides, start * view.strides[axis]))
        start += shape[axis]
    return list(parts)


def _unpack(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    axis = operation.get_attr("axis") % len(values[0].shape)
    view = program.stored(operation.name, values[0])
    strides = [stride for place, stride in enumerate(view.strides) if place != axis]
    return [view.moved(tuple(o.shape), strides, n * view.strides[axis]) for n, o in enumerate(operation.outputs)]


def _transpose(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    order = constant_of(operation, 1).tolist()
    view = program.stored(operation.name, values[0])
    return [view.moved([view.shape[axis] for axis in order], [view.strides[axis] for axis in order])]


def _reverse(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    view = program.stored(operation.name, values[0])
    axes = {axis % len(view.shape) for axis in constant_of(operation, 1).ravel().tolist()}
    index = [slice(None, None, -1 if axis in axes else 1) for axis in range(len(view.shape))]
    return [_indexed(view, index, view.shape)]


def _broadcast(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    shape, source = result_shape(operation), as_expression(values[0])
    if isinstance(values[0], View):
        return [values[0].moved(shape, broadcast_strides(values[0], shape))]
    return [replace(source, shape=shape)]


STRUCTURE: dict[str, Handler] = {
    "BroadcastTo": _broadcast,
    "ExpandDims": _reshape,
    "Reshape": _reshape,
    "ReverseV2": _reverse,
    "Slice": _slice,
    "Split": _split,
    "SplitV": _split,
    "Squeeze": _reshape,
    "StridedSlice": _strided_slice,
    "Transpose": _transpose,
    "Unpack": _unpack,
}
