"""Operations that bring elements to other places: joining, padding, repeating, and rows of tables by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from rnnapps.portable.c.elementwise import combined
from rnnapps.portable.c.memory import Value, View, dense, literal
from rnnapps.portable.c.program import Program, element, nested
from rnnapps.portable.c.structure import Handler, Unsupported, constant_of, result_shape

__all__ = ["COPIES"]


def _tile(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    view, out = program.stored(operation.name, values[0]), program.scratch(result_shape(operation), values[0].dtype)
    counts = constant_of(operation, 1).tolist()
    # Each axis as two: the copies, and the places of one copy.
    split = [size for pair in zip(counts, view.shape, strict=True) for size in pair]
    strides = [stride for one in view.strides for stride in (0, one)]
    program.store(operation.name, view.moved(split, strides), out.moved(split, dense(split)))
    return [out]


def _concat(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    parts, axis = values[:-1], int(constant_of(operation, len(values) - 1))
    return [_joined(program, operation, parts, axis % len(result_shape(operation)))]


def _pack(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    shape = result_shape(operation)
    axis = operation.get_attr("axis") % len(shape)
    parts = [_with_axis(value, axis) for value in values]
    if len(parts) == 1:
        return parts
    return [_joined(program, operation, parts, axis)]


def _with_axis(value: Value, axis: int) -> Value:
    """The value with a new axis of size 1."""

    def longer(view: View, at: int) -> View:
        return view.moved((*view.shape[:at], 1, *view.shape[at:]), (*view.strides[:at], 0, *view.strides[at:]))

    if isinstance(value, View):
        return longer(value, axis)
    shape = (*value.shape[:axis], 1, *value.shape[axis:])
    behind = len(value.shape) - axis
    leaves = tuple(longer(leaf, max(len(leaf.shape) - behind, 0)) for leaf in value.leaves)
    return replace(value, shape=shape, leaves=leaves)


def _joined(program: Program, operation: tf.Operation, parts: Sequence[Value], axis: int) -> View:
    out, start = program.scratch(result_shape(operation), operation.outputs[0].dtype.name), 0
    for part in parts:
        program.store(operation.name, part, out.moved(part.shape, out.strides, start * out.strides[axis]))
        start += part.shape[axis]
    return out


def _pad(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    out = program.scratch(result_shape(operation), values[0].dtype)
    filling = values[2] if len(values) > 2 else program.constant(np.zeros((), values[0].dtype))
    before = constant_of(operation, 1)[:, 0].tolist()
    program.store(operation.name, filling, out)
    by = sum(place * stride for place, stride in zip(before, out.strides, strict=True))
    program.store(operation.name, values[0], out.moved(values[0].shape, out.strides, by))
    return [out]


def _gather(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """Rows of a table by number; a number outside of it takes the nearest row."""
    table = program.stored(operation.name, values[0])
    axis = int(constant_of(operation, 2)) % len(table.shape) if operation.type == "GatherV2" else 0
    batch = operation.get_attr("batch_dims") if operation.type == "GatherV2" else 0
    places, out = program.stored(operation.name, values[1]), program.scratch(result_shape(operation), table.dtype)
    inner = len(places.shape) - batch
    own = [*table.strides[:axis], *[0] * inner, *table.strides[axis + 1 :]]
    of_place = [
        *places.strides[:batch],
        *[0] * (axis - batch),
        *places.strides[batch:],
        *[0] * (len(table.shape) - axis - 1),
    ]
    name = "clamped"
    lines = [
        f"int {name} = (int){element(places, of_place)};",
        f"{name} = {name} < 0 ? 0 : {name} >= {table.shape[axis]} ? {table.shape[axis] - 1} : {name};",
        f"{element(out, out.strides)} = {_at(element(table, own), name, table.strides[axis])};",
    ]
    program.run(operation.name, [out], [table, places], nested(out.shape, lines))
    return [out]


def _at(text: str, name: str, stride: int) -> str:
    """An element of a table, further on by a number of rows."""
    return f"{text[:-1]} + {name} * {stride}]"


def _one_hot(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    shape, dtype = result_shape(operation), operation.outputs[0].dtype.name
    axis = operation.get_attr("axis") % len(shape)
    on, off = (literal(constant_of(operation, place), dtype) for place in (2, 3))
    classes = np.arange(shape[axis], dtype=np.int32).reshape([-1, *[1] * (len(shape) - axis - 1)])
    numbers = View(program.table(classes), classes.shape, dense(classes.shape))
    parts = [_with_axis(values[0], axis), numbers]
    return [combined(shape, dtype, parts, lambda texts: f"({texts[0]} == {texts[1]} ? {on} : {off})")]


def _diagonal(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`MatrixDiagV3` of a main diagonal."""
    shape, view = result_shape(operation), program.stored(operation.name, values[0])
    if constant_of(operation, 1).any() or shape[-1] != view.shape[-1]:
        raise Unsupported("only main diagonals of square matrices")
    out = program.scratch(shape, view.dtype)
    program.store(operation.name, program.constant(np.zeros((), view.dtype)), out)
    program.store(operation.name, view, out.moved(view.shape, (*out.strides[:-2], out.strides[-2] + out.strides[-1])))
    return [out]


COPIES: dict[str, Handler] = {
    "ConcatV2": _concat,
    "Gather": _gather,
    "GatherV2": _gather,
    "MatrixDiagV3": _diagonal,
    "OneHot": _one_hot,
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "Tile": _tile,
}
