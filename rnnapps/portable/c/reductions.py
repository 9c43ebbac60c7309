"""Operations that make one number of many: sums, extremes, softmax."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnapps.portable.c.memory import CTYPES, Value, View, dense
from rnnapps.portable.c.program import Program, element, nested
from rnnapps.portable.c.structure import Handler, constant_of, result_shape

__all__ = ["REDUCTIONS"]


_RULES: dict[str, tuple[str, str]] = {
    "All": ("1", "{0} = {0} && {1};"),
    "Any": ("0", "{0} = {0} || {1};"),
    "Max": ("", "{0} = {1} > {0} ? {1} : {0};"),
    "Mean": ("0", "{0} += {1};"),
    "Min": ("", "{0} = {1} < {0} ? {1} : {0};"),
    "Prod": ("1", "{0} *= {1};"),
    "Sum": ("0", "{0} += {1};"),
}
"""Reduction -> its first value (the first element where none is said), and what each element does to it."""


def _reduction(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    view = program.stored(operation.name, values[0])
    axes = {int(axis) % len(view.shape) for axis in constant_of(operation, 1).ravel()}
    kept = [axis for axis in range(len(view.shape)) if axis not in axes]
    out, count = program.scratch(result_shape(operation), view.dtype), 1
    order, lengths = [*kept, *sorted(axes)], [view.shape[axis] for axis in kept]
    summed = [view.shape[axis] for axis in sorted(axes)]
    count = int(np.prod(summed, dtype=int))
    source = element(view, [view.strides[axis] for axis in order])
    start, rule = _RULES[operation.type]
    start = start or element(view, [view.strides[axis] for axis in kept])
    target = element(out, dense(lengths))
    inner = nested(summed, [rule.format("all", source)], len(kept))
    last = f"{target} = all / {count};" if operation.type == "Mean" else f"{target} = all;"
    program.run(operation.name, [out], [view], nested(lengths, [f"{CTYPES[view.dtype]} all = {start};", *inner, last]))
    return [out]


def _softmax(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`Softmax` and `LogSoftmax` along the last axis."""
    view, out = program.stored(operation.name, values[0]), program.scratch(result_shape(operation), values[0].dtype)
    kind, suffix, outer = CTYPES[view.dtype], "f" if view.dtype == "float32" else "", view.shape[:-1]
    depth, size = len(outer), view.shape[-1]
    source, target = element(view, view.strides), element(out, out.strides)
    first = element(view, view.strides[:-1])
    loop = f"for (int i{depth} = 0; i{depth} < {size}; ++i{depth})"
    log = operation.type == "LogSoftmax"
    term = f"exp{suffix}({source} - largest)"
    body = [
        f"{kind} largest = {first}, sum = 0;",
        f"{loop} {{ largest = {source} > largest ? {source} : largest; }}",
        f"{loop} {{ sum += {term}; }}" if log else f"{loop} {{ {target} = {term}; sum += {target}; }}",
        f"{loop} {{ {target} = {source} - largest - log{suffix}(sum); }}" if log else f"{loop} {{ {target} /= sum; }}",
    ]
    program.run(operation.name, [out], [view], nested(outer, body))
    return [out]


def _extreme(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`ArgMax` and `ArgMin`: the first place of the largest or smallest element."""
    view, out = (
        program.stored(operation.name, values[0]),
        program.scratch(result_shape(operation), operation.outputs[0].dtype.name),
    )
    axis = int(constant_of(operation, 1)) % len(view.shape)
    strides = [stride for place, stride in enumerate(view.strides) if place != axis]
    depth, sign = len(strides), ">" if operation.type == "ArgMax" else "<"
    source, best = element(view, [*strides, view.strides[axis]]), _at_best(view, strides, axis)
    inner = nested([view.shape[axis]], [f"best = {source} {sign} {best} ? i{depth} : best;"], depth)
    program.run(
        operation.name,
        [out],
        [view],
        nested(out.shape, ["int best = 0;", *inner, f"{element(out, out.strides)} = best;"]),
    )
    return [out]


def _at_best(view: View, strides: Sequence[int], axis: int) -> str:
    return f"{element(view, strides)[:-1]} + best * {view.strides[axis]}]"


def _running_sum(program: Program, operation: tf.Operation, values: list[Value]) -> list[Value]:
    """`Cumsum`."""
    view, out = program.stored(operation.name, values[0]), program.scratch(result_shape(operation), values[0].dtype)
    axis = int(constant_of(operation, 1)) % len(view.shape)
    outer = [place for place in range(len(view.shape)) if place != axis]
    depth, size, last = len(outer), view.shape[axis], view.shape[axis] - 1
    backwards, before = operation.get_attr("reverse"), operation.get_attr("exclusive")

    def along(one: View) -> View:
        sign = -1 if backwards else 1
        strides = [one.strides[place] for place in outer] + [sign * one.strides[axis]]
        shape = [one.shape[place] for place in outer] + [size]
        return one.moved(shape, strides, last * one.strides[axis] if backwards else 0)

    source, target = along(view), along(out)
    steps = [f"sum += {element(source, source.strides)};", f"{element(target, target.strides)} = sum;"]
    inner = nested([size], steps[::-1] if before else steps, depth)
    program.run(operation.name, [out], [view], nested(source.shape[:-1], [f"{CTYPES[view.dtype]} sum = 0;", *inner]))
    return [out]


REDUCTIONS: dict[str, Handler] = {
    **dict.fromkeys(_RULES, _reduction),
    "ArgMax": _extreme,
    "ArgMin": _extreme,
    "Cumsum": _running_sum,
    "LogSoftmax": _softmax,
    "Softmax": _softmax,
}
